"""The bodies of entries, read strictly, and who an entry is by."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from spaces import canonical
from spaces.transcript.document import Count, Entry, TranscriptError


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Action(Body, frozen=True):
    turn: Count
    kind: str
    action: dict[str, Any]
    raw: str | None = None
    elapsed_ms: Count | None = None
    """From opening the decision to the answer; there exactly where the Space keeps time."""


class Fault(Body, frozen=True):
    turn: Count
    code: str
    reason: str
    attempt: Count


class OfSeat(Body, frozen=True):
    """Of `deadline` and `forfeit`."""

    turn: Count
    seat: Count


class Reveal(Body, frozen=True):
    turn: Count
    actions: list[dict[str, Any]]


class Oracle(Body, frozen=True):
    number: Count
    kind: str
    source: str
    value: dict[str, Any]


class Void(Body, frozen=True):
    reason: str


B = TypeVar("B", bound=Body)


def read_body(entry: Entry, shape: type[B]) -> B:
    try:
        return msgspec.convert(entry.body, shape)
    except msgspec.ValidationError as error:
        raise TranscriptError(f"body of {entry.type}: {error}", entry.i) from None


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: unlike `==`, true is not 1."""
    return canonical.encode(one) == canonical.encode(other)


def by_host(entry: Entry) -> None:
    if entry.by != "host":
        raise TranscriptError(f"{entry.type} by {entry.by!r}, not by the host", entry.i)


def by_oracle(entry: Entry) -> None:
    if entry.by != "oracle":
        raise TranscriptError(f"{entry.type} by {entry.by!r}, not by the oracle", entry.i)


def seat_of(entry: Entry) -> int:
    """N of `seat:N`."""
    prefix, _, number = entry.by.partition(":")
    if prefix != "seat" or not number.isascii() or not number.isdigit():
        raise TranscriptError(f"{entry.type} by {entry.by!r}, not by a seat", entry.i)
    if number != str(int(number)):
        raise TranscriptError(f"{entry.type} by {entry.by!r}, not by a seat", entry.i)
    return int(number)
