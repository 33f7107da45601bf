"""Hearings out of published case documents (`agon-case/1`, docs/proofs.md): only what is compared is read; `agon verify` checks the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from judges.reliability.labels import Heard

MAX_BYTES = 1 << 20
"""Of one document."""


class _Message(msgspec.Struct):
    type: str
    judge: str
    scores_milli: list[list[int]] = []


class _Filing(msgspec.Struct):
    hearing: int
    contestants: int


class _Hearing(msgspec.Struct):
    filing: _Filing
    messages: list[_Message]


class _Case(msgspec.Struct):
    v: str
    session: str
    hearings: list[_Hearing]


class BadDocument(ValueError):
    """Not a line of case documents."""


def heard_of(lines: Iterable[str]) -> Iterator[Heard]:
    """One document a line; blank lines are passed over. Hearings without a reveal are left out. Raises BadDocument, with the line."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield from _heard(number, line)


def _heard(number: int, line: str) -> Iterator[Heard]:
    if len(line) > MAX_BYTES:
        raise BadDocument(f"line {number}: longer than a case document may be ({MAX_BYTES} bytes)")
    try:
        case = msgspec.json.decode(line, type=_Case)
    except msgspec.DecodeError as error:
        raise BadDocument(f"line {number}: no case document: {error}") from None
    if case.v != "agon-case/1":
        raise BadDocument(f"line {number}: expected agon-case/1, found {case.v[:40]!r}")
    for hearing in case.hearings:
        sheets = {
            each.judge: tuple(score for row in each.scores_milli for score in row)
            for each in hearing.messages
            if each.type == "reveal"
        }
        if sheets:
            name = f"{case.session}/{hearing.filing.hearing}"
            yield Heard(name, hearing.filing.contestants, sheets)
