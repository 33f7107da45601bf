"""The HTTP calls that the state asks for, and what came of them. Pure.

As with the channels, what is wanted is derived and the shell compares. A **read** is repeated for as long as a page
shows it; a failed one waits, the longer the more often it failed, or as long as the server says. An **order** changes
something: it stays in flight until it is answered, and one that was not answered is sent again under the
same idempotency key, so that it happens once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

replace = msgspec.structs.replace

UNREACHED = 0
"""The status of what never got an answer."""
UNAUTHORIZED = 401
TOO_MANY = 429
RETRY_FIRST_MS = 1_000
RETRY_MAX_MS = 30_000
MAX_KEPT = 256


class Problem(msgspec.Struct, frozen=True):
    """Why a call came to nothing."""

    status: int
    code: str = ""
    detail: str = ""
    """For people; from the server, so not safe to paint as it is."""
    retry_after_ms: int = 0

    @property
    def passes(self) -> bool:
        """The same read may work later."""
        return self.status in (UNREACHED, 408, TOO_MANY) or self.status >= 500

    @property
    def again(self) -> bool:
        """The same order may be sent again: nobody has answered it, or only that it has to wait."""
        if self.code == "in-progress":
            return True
        return (
            self.status in (UNREACHED, 408, TOO_MANY, 502, 503, 504) and self.code != "model-away"
        )


class Answered(msgspec.Struct, frozen=True):
    """A call was answered."""

    call: str
    value: Any = None


class Refused(msgspec.Struct, frozen=True):
    """A call came to nothing."""

    call: str
    problem: Problem


class Call(msgspec.Struct, frozen=True):
    id: str
    """The shell makes each id's call once; another try has another id."""
    method: str
    path: str
    """From the root, with its query."""
    answer: Any = None
    """The type that the answer is read as; None for an answer that says nothing."""
    body: Any = None
    """What JSON is made of."""
    key: str = ""
    """Of an order: tells a repetition from another order. The shell adds what no other client has."""
    slow: bool = False
    """A language model answers it."""


class Read(msgspec.Struct, frozen=True):
    """Something that a page shows."""

    path: str
    answer: Any
    every_ms: int
    """0: once is enough."""


class Kept(msgspec.Struct, frozen=True):
    """What is known of a path."""

    value: Any = None
    """The last answer."""
    at_ms: int = 0
    """When that came."""
    asked: int = 0
    """Calls that are over."""
    failed: int = 0
    """Of these, how many failed in a row."""
    problem: Problem | None = None
    not_before_ms: int = 0
    old: bool = False
    """Something was changed since: to be read again at once."""


class Order(msgspec.Struct, frozen=True):
    """A change that is under way, or that could not be made for now."""

    number: int
    method: str
    path: str
    answer: Any = None
    body: Any = None
    slow: bool = False
    tries: int = 0
    """That are over."""
    problem: Problem | None = None
    not_before_ms: int = 0

    @property
    def id(self) -> str:
        return f"order {self.number} #{self.tries}"


Shelf = Mapping[str, Kept]


def due(shelf: Shelf, reads: Iterable[Read], now_ms: int) -> list[Call]:
    """The reads that are to be made now, in flight or not: an answer changes the id."""
    found = []
    for read in reads:
        kept = shelf.get(read.path, _NOTHING)
        answered = kept.asked > 0 and kept.problem is None
        next_ms = kept.at_ms + read.every_ms if answered else kept.not_before_ms
        limited = kept.problem is not None and kept.problem.status == TOO_MANY
        if kept.old and not limited:
            next_ms = now_ms
        elif answered and not read.every_ms:
            continue  # once is enough
        if now_ms < next_ms:
            continue
        call_id = f"GET {read.path} #{kept.asked}"
        found.append(Call(call_id, "GET", read.path, read.answer))
    return found


def of_read(shelf: Shelf, call_id: str) -> str | None:
    """The path whose call this is; None for an order, and for a call whose answer came too late."""
    if not call_id.startswith("GET "):
        return None
    path, _, number = call_id[4:].rpartition(" #")
    return path if number == str(shelf.get(path, _NOTHING).asked) else None


def answered(shelf: Shelf, path: str, value: Any, now_ms: int) -> Shelf:
    kept = shelf.get(path, _NOTHING)
    return _with(shelf, path, Kept(value, now_ms, kept.asked + 1))


def refused(shelf: Shelf, path: str, problem: Problem, now_ms: int) -> Shelf:
    """The last answer stays; when to ask again is said."""
    kept = shelf.get(path, _NOTHING)
    failed = kept.failed + 1
    wait = problem.retry_after_ms or pause_ms(failed)
    if not problem.passes:
        wait = max(wait, RETRY_MAX_MS)
    kept = Kept(kept.value, kept.at_ms, kept.asked + 1, failed, problem, now_ms + wait)
    return _with(shelf, path, kept)


def stale(shelf: Shelf, *prefixes: str) -> Shelf:
    """Paths that begin so are read again at once, also those that are being read: their answer may be
    older than the change. What is known of them is shown until then."""
    return {
        path: replace(kept, asked=kept.asked + 1, old=True) if path.startswith(prefixes) else kept
        for path, kept in shelf.items()
    }


def call_of(order: Order, now_ms: int) -> list[Call]:
    """The call of an order that is due; none while it has to wait."""
    if now_ms < order.not_before_ms:
        return []
    key = str(order.number)
    return [Call(order.id, order.method, order.path, order.answer, order.body, key, order.slow)]


def again(order: Order, problem: Problem, now_ms: int) -> Order:
    """An order that was not taken for now."""
    tries = order.tries + 1
    wait = problem.retry_after_ms or pause_ms(tries)
    return replace(order, tries=tries, problem=problem, not_before_ms=now_ms + wait)


def pause_ms(failed: int) -> int:
    return int(min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** min(failed - 1, 10)))


def _with(shelf: Shelf, path: str, kept: Kept) -> Shelf:
    """The path last, and the ones that were heard of least lately go first."""
    rest = {other: each for other, each in shelf.items() if other != path}
    for oldest in list(rest)[: max(0, len(rest) + 1 - MAX_KEPT)]:
        del rest[oldest]
    return {**rest, path: kept}


_NOTHING = Kept()
