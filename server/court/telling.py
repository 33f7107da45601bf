"""Who watches is told what has changed before the court: the channel `court`, and the session's own views.

What was told follows from what stands in the channels, so nothing is lost or told twice by whoever leads next.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from judges.court.hearing import SeatState
from server.clock import Clock
from server.court.case import Case
from server.court.findings import ranks_of
from server.court.judges import standing
from server.court.known import Known
from server.court.view import brief, view_of
from server.identity import new_id
from server.jobs.aftermath import Aftermath, Change
from server.jobs.faults import TooEarly
from server.live import keys
from server.live.agents import since_open
from server.live.log import Head, LiveLog, Moved
from server.live.records import LogEvent
from server.protocol import CaseView, CourtView, Step
from server.store import Store

CHANNEL = "court"
OPEN = 64
DECIDED = 16
LATELY_MS = 600_000
"""A case that was closed so long ago is told to its session no more."""
REASONS_UP_TO = 7
"""Judges whose reasons are in a session's view; of bigger panels they are in the case's own."""


class Telling:
    def __init__(
        self,
        *,
        store: Store,
        log: LiveLog,
        clock: Clock,
    ) -> None:
        self._store = store
        self._log = log
        self._clock = clock
        self._aftermath = Aftermath(log, clock)
        self._told: dict[str, int] = {}
        self._known = Known(store.court)

    async def round(self) -> None:
        """Raises what store and Redis raise."""
        now_ms, cases = self._clock(), self._store.court
        opened = await cases.open_revisions()
        closed = await cases.closed_revisions(now_ms - LATELY_MS)
        final = await cases.final_revisions(DECIDED)
        revisions = final | closed | opened
        known = {case.session: case for case in await self._known.of(revisions)}
        await self._tell_sessions(
            [(known[session], revisions[session]) for session in (*opened, *closed)]
        )
        await self._tell_all(
            [known[session] for session in [*opened][:OPEN]],
            [known[session] for session in final],
            now_ms,
        )

    async def _tell_sessions(self, cases: Sequence[tuple[Case, int]]) -> None:
        """Those that have changed since this process has told them."""
        for case, revision in cases:
            if self._told.get(case.session) == revision:
                continue
            try:
                await self._aftermath.tell(case.session, change_of(case))
            except TooEarly:
                continue  # the next round tells it
            self._told[case.session] = revision
        sessions = {case.session for case, _ in cases}
        self._told = {session: at for session, at in self._told.items() if session in sessions}

    async def _tell_all(
        self, open_cases: Sequence[Case], closed: Sequence[Case], now_ms: int
    ) -> None:
        view = CourtView(
            cases=[brief(shown(each)) for each in open_cases],
            decided=[brief(shown(each)) for each in closed],
            judges=await standing(self._store, now_ms),
        )
        head = await self._log.head(CHANNEL)
        stood = _standing(head)
        if view == stood:
            return
        known = {each.session: each for each in (*stood.cases, *stood.decided)}
        changed = [each for each in (*view.cases, *view.decided) if known.get(each.session) != each]
        t = since_open(head, now_ms)
        events = [LogEvent(t, "judge", "case", _words(each)) for each in changed]
        if not events:
            events = [LogEvent(t, "host", "judges", {"standing": view.judges})]
        base = -1 if head is None else head.offset
        try:
            await self._log.publish(CHANNEL, new_id(), events, view, keys.AGENT_TTL_S, base=base)
        except Moved:
            return  # another leader was faster


def _standing(head: Head | None) -> CourtView:
    view = None if head is None or head.views is None else head.views.public
    return view if isinstance(view, CourtView) else CourtView(cases=[])


def _words(view: CaseView) -> dict[str, object]:
    """A case's news, for whoever follows events."""
    return {
        "session": view.session,
        "hearing": view.hearing,
        "state": view.state,
        "final": view.final,
        "note": view.note,
    }


def shown(case: Case) -> CaseView:
    """All that is told of a case."""
    held = case.last
    ranks = list(ranks_of(case, held)) if held.totals else []
    return view_of(case, ranks)


def change_of(case: Case) -> Change:
    """For the session's own views and log."""
    view = msgspec.structs.replace(shown(case), filing=None)
    if len(view.sheets) > REASONS_UP_TO:
        sheets = [msgspec.structs.replace(each, reasons=[]) for each in view.sheets]
        view = msgspec.structs.replace(view, sheets=sheets)
    steps = (Step("judged", "running", detail(case)),) if case.state == "open" else ()
    return Change("court", "judge", _body(case, view), steps, court=view)


def _body(case: Case, view: CaseView) -> dict[str, object]:
    states = [each.state for each in case.last.bench]
    body: dict[str, object] = {
        "hearing": view.hearing,
        "state": view.state,
        "seats": view.seats,
        "drawn": len(states),
        "committed": sum(each.bound for each in case.last.bench),
        "revealed": states.count(SeatState.REVEALED),
        "final": view.final,
        "note": view.note,
    }
    if view.totals_milli:
        body |= {"totals_milli": view.totals_milli, "ranks": view.ranks}
    return body


def detail(case: Case) -> str:
    """For people, in one line: where the case stands."""
    held = case.last
    where = "" if held.hearing == 0 else f"hearing {held.hearing + 1}: "
    bound = sum(each.bound for each in held.bench)
    match held.state:
        case "wanted" | "filed":
            said = "the court draws a panel"
        case "committing":
            said = f"{bound}/{held.seats} judges have committed"
        case "revealing":
            revealed = len(held.panel.revealed())
            said = f"{revealed}/{bound} judges have revealed"
        case "forced":
            said = "a hearing goes on on the chain"
        case "failed":
            said = held.note
        case "decided":
            said = "a verdict that stands unless somebody appeals"
    return where + said
