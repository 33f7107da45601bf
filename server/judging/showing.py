"""One session as a judge sees it: its own sheets, and how the panel stands."""

from __future__ import annotations

from pathlib import Path

import msgspec

from judges.node.journal import of_session_at
from judges.node.sheet import Scored
from server.judging import words
from server.judging.arena import Arena
from server.judging.folder import JOURNAL
from server.outside.asking import Unreadable
from server.protocol import CaseView


class OwnHearing(msgspec.Struct, frozen=True):
    """What the judge has sealed."""

    hearing: int
    ordinal: int
    commitment: str
    scored: Scored
    sealed_ms: int
    committed_ms: int | None
    revealed_ms: int | None


class Found(msgspec.Struct, frozen=True):
    judge: str
    session: str
    hearings: list[OwnHearing]
    view: CaseView | None
    why: str
    """Why there is no view."""


async def found(folder: Path, session: str, judge: str, arena: str) -> Found:
    """The salt stays where it is."""
    own = [
        OwnHearing(
            each.hearing,
            each.ordinal,
            "0x" + each.commitment.hex(),
            each.scored,
            each.sealed_ms,
            each.committed_ms,
            each.revealed_ms,
        )
        for each in of_session_at(folder / JOURNAL, session)
    ]
    view, why = None, ""
    try:
        async with Arena(arena) as asked:
            view = await asked.case(session)
    except Unreadable as error:
        why = str(error)
    return Found(judge, session, own, view, why)


def lines(told: Found) -> list[str]:
    """For people."""
    shown = [f"session    {told.session}"]
    names = told.view.lines if told.view else []
    for own in told.hearings:
        state = (
            "revealed"
            if own.revealed_ms is not None
            else "committed"
            if own.committed_ms is not None
            else "kept here, not committed yet"
        )
        shown.append(f"hearing {own.hearing}  {state}; commitment {own.ordinal}: {own.commitment}")
        for at, scores in enumerate(own.scored.scores_milli):
            shown += _line(
                names[at] if at < len(names) else f"line {at}", scores, own.scored.reasons[at]
            )
    if told.view is None:
        return [*shown, f"panel      not to be had: {told.why}"]
    view = told.view
    note = f"; {view.note}" if view.note else ""
    shown.append(f"panel      hearing {view.hearing}: {view.state}{note}")
    shown += words.panel(view, told.judge)
    return [*shown, f"totals     {words.scores(view.totals_milli)}"] if view.totals_milli else shown


def _line(name: str, scores: tuple[int, ...], reasons: tuple[str, ...]) -> list[str]:
    head = f"  {name:<10} {words.scores(scores)}"
    said = [
        f"    {chr(ord('A') + seat)}: {reason}" for seat, reason in enumerate(reasons) if reason
    ]
    return [head, *said]
