"""What one judge is told by an arena's view of a case. Pure."""

from __future__ import annotations

import re

from judges.node.duty import Sat, Stage, Told
from server.protocol import BenchSeat, CaseView

_STAGES = {"committing": Stage.COMMITTING, "revealing": Stage.REVEALING}
_SEATS = {
    "drawn": Sat.DRAWN,
    "committed": Sat.COMMITTED,
    "revealed": Sat.REVEALED,
    "absent": Sat.LOST,
    "replaced": Sat.LOST,
}


_SESSION = re.compile(r"[0-9A-Za-z]{1,64}", re.ASCII)
_CASE = re.compile(r"(0x)?[0-9a-fA-F]{64}", re.ASCII)
MAX_HEARING = 255
MAX_MS = 2**53 - 1
MAX_CID = 128


class Misshapen(ValueError):
    """No arena tells that; the message says what."""


def told(view: CaseView, judge: str) -> Told:
    """For `judge`, an address in any case. Raises Misshapen: what is told goes into a journal, paths and arithmetic."""
    _check(view)
    return Told(
        session=view.session,
        case=case_hex(view.case),
        hearing=view.hearing,
        space=view.space,
        transcript=view.transcript,
        stage=_stage(view),
        seat=_seat(view.panel, judge),
        all_committed=all_committed(view.panel),
        commit_by_ms=view.commit_by_ms or 0,
        reveal_by_ms=view.reveal_by_ms or 0,
        forced=view.state == "forced",
    )


def _check(view: CaseView) -> None:
    if not _SESSION.fullmatch(view.session):
        raise Misshapen(f"a session {view.session[:60]!r}")
    if not _CASE.fullmatch(view.case):
        raise Misshapen(f"{view.session}: the case {view.case[:80]!r}")
    if not 0 <= view.hearing <= MAX_HEARING:
        raise Misshapen(f"{view.session}: a hearing out of range")
    if not all(0 <= (each or 0) <= MAX_MS for each in (view.commit_by_ms, view.reveal_by_ms)):
        raise Misshapen(f"{view.session}: a time out of range")
    if len(view.transcript) > MAX_CID:
        raise Misshapen(f"{view.session}: a transcript {view.transcript[:60]!r}")


def case_hex(text: str) -> str:
    """A case's id, always written alike."""
    return "0x" + text.lower().removeprefix("0x")


def sitting(panel: list[BenchSeat]) -> list[BenchSeat]:
    """Whose turn it is: who was seated and not replaced, and as many reserves, in their order, as others were replaced."""
    called = sum(each.state == "replaced" for each in panel)
    reserves = [each for each in panel if each.reserve][:called]
    return [
        each
        for each in (*(each for each in panel if not each.reserve), *reserves)
        if each.state != "replaced"
    ]


def place_of(panel: list[BenchSeat], judge: str) -> int | None:
    """Of a judge among all who were drawn, in the order of the draw."""
    names = [each.judge.lower() for each in panel]
    return names.index(judge.lower()) if judge.lower() in names else None


def all_committed(panel: list[BenchSeat]) -> bool:
    """Nobody of them can commit any more who has not."""
    return bool(panel) and all(each.state != "drawn" for each in sitting(panel))


def _stage(view: CaseView) -> Stage:
    if view.state in ("decided", "failed"):
        return Stage.OVER
    if view.state == "forced":
        return Stage.REVEALING if all_committed(view.panel) else Stage.COMMITTING
    return _STAGES.get(view.state, Stage.EARLY)


def _seat(panel: list[BenchSeat], judge: str) -> Sat:
    own = [each for each in panel if each.judge.lower() == judge.lower()]
    if not own:
        return Sat.NONE
    if own[0].state == "drawn" and own[0] not in sitting(panel):
        return Sat.NONE  # a reserve that nobody has called
    return _SEATS[own[0].state]
