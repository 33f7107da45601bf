"""A session as an agent learns from it: its transcript, and what its result says of it. Pure.

Nothing is believed that can be checked: the transcript's id is its bytes', the result names it, and the salts open
the seats' commitments. How judges found, the result says.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from chain.content import cid
from chain.documents import result as results
from chain.documents.form import DocumentError
from chain.documents.result import ResultDocument
from judges.rubric import NoRubric, rubric_of
from spaces import transcript
from spaces.transcript import Transcript, TranscriptError, seat_commit
from training.trajectory.returns import Verdict


class LessonError(ValueError):
    """The documents are none, or not of one session; the message names the fact."""


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """Documents of one session, checked against each other."""

    transcript: bytes
    result: bytes | None
    """None: who sat where and how judges found is not known."""
    session: str
    """The transcript's CID."""
    players: tuple[str, ...] = ()
    """Versions by seat; empty where they are not known."""
    verdict: Verdict | None = None
    """None where rules decided, and where it is not known."""


def lesson(document: bytes, result: bytes | None) -> Lesson:
    """Raises LessonError. The transcript is read, not replayed: who learns from it replays it."""
    name = str(cid.of(document))
    try:
        played = transcript.read(document)
        told = None if result is None else results.read(result)
    except (TranscriptError, DocumentError) as error:
        raise LessonError(f"{name}: {error}") from None
    if told is None:
        return Lesson(transcript=document, result=None, session=name)
    _check(name, played, told)
    return Lesson(
        transcript=document,
        result=result,
        session=name,
        players=tuple(seat.version for seat in told.seats),
        verdict=_verdict(told),
    )


def material(lessons: Iterable[Lesson]) -> dict[str, Any]:
    """The arguments of `training.data.build.build` that sessions decide: `transcripts`, `players`, `verdicts` and
    `results`."""
    known = list(lessons)
    return {
        "transcripts": [each.transcript for each in known],
        "players": {each.session: each.players for each in known if each.players},
        "verdicts": {each.session: each.verdict for each in known if each.verdict is not None},
        "results": {
            each.session: str(cid.of(each.result)) for each in known if each.result is not None
        },
    }


def _check(name: str, played: Transcript, told: ResultDocument) -> None:
    if told.transcript != name:
        raise LessonError(f"{name}: the result is of {told.transcript}")
    if len(told.seats) != len(played.seats):
        raise LessonError(
            f"{name}: {len(told.seats)} seats in the result, {len(played.seats)} played"
        )
    for seat, committed in zip(told.seats, played.seats, strict=True):
        if seat_commit(seat.version, bytes.fromhex(seat.salt)) != committed.commit:
            raise LessonError(f"{name}: seat {seat.seat} was not committed to {seat.version}")


def _verdict(told: ResultDocument) -> Verdict | None:
    if told.verdict is None:
        return None
    return Verdict(ranks=tuple(told.ranks), totals_milli=_totals(told))


def _totals(told: ResultDocument) -> tuple[int, ...]:
    """By seat, 0 to 10,000; empty where the rubric is not one that we have the weights of."""
    verdict = told.verdict
    try:
        rubric = rubric_of(told.space)
    except NoRubric:
        return ()
    if verdict is None or rubric.id != verdict.rubric:
        return ()
    if len(verdict.scores_milli) != len(rubric.lines):
        return ()
    weighed = [
        sum(
            line.weight * scores[seat]
            for line, scores in zip(rubric.lines, verdict.scores_milli, strict=True)
        )
        for seat in range(len(told.seats))
    ]
    return tuple(each // rubric.weight for each in weighed)
