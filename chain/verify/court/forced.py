"""Which hearings of a case were done on the chain, and whether its file says what stands there: that is what counts."""

from __future__ import annotations

from chain.client.hearings import Hearings, Stage
from chain.court.anchor import NO_ORDINAL, SeatLeaf, verdict_hash
from chain.court.filing import case_id
from chain.documents import case as cases
from chain.documents.case import CaseDocument, CaseSeat, Hearing
from chain.documents.court_epoch import CourtEpoch
from chain.verify.finding import Finding, false, true, unchecked

WHAT = "forced"


async def finding(hearings: Hearings, case: CaseDocument, epoch: CourtEpoch | None) -> Finding:
    """Raises RpcUnavailable, NoContract."""
    there = 0
    open_ = ""
    for hearing in case.hearings:
        stage = await hearings.stage(case_id(case.session), hearing.filing.hearing)
        if stage is Stage.ELSEWHERE:
            if wrong := _elsewhere(case, hearing, epoch):
                return false(WHAT, wrong)
            continue
        there += 1
        if hearing.forced:
            wrong = await _same(hearings, case, hearing, stage)
        else:
            wrong, open_ = await _since(hearings, case, hearing, stage)
        if wrong:
            return false(WHAT, f"hearing {hearing.filing.hearing} {wrong}")
    wrong = await _left_out(hearings, case)
    if wrong:
        return false(WHAT, wrong)
    if open_:
        return unchecked(WHAT, open_)
    count = f"{there} of {len(case.hearings)} hearings" if there else "no hearing"
    words = ", and the file says what stands there" if there else " of the case"
    return true(WHAT, f"{count} was done on the chain{words}")


def _elsewhere(case: CaseDocument, hearing: Hearing, epoch: CourtEpoch | None) -> str:
    """What is wrong with one that the chain knows nothing of."""
    number = hearing.filing.hearing
    if hearing.forced:
        return f"hearing {number} is said to have been done on the chain, and was not"
    if epoch is None:
        return ""
    held = {each.hearing for each in epoch.hearings if each.session == case.session}
    if number not in held:
        return f"hearing {number} is neither on the chain nor in epoch {epoch.epoch}"
    return ""


async def _same(hearings: Hearings, case: CaseDocument, hearing: Hearing, stage: Stage) -> str:
    """Whether a hearing that the file says was done there came to the same there, for each of its judges."""
    if not stage.over:
        return "is not over there"
    id_, number = case_id(case.session), hearing.filing.hearing
    put, _ = await hearings.hearing(id_, number)
    if put.filing != hearing.filing.filing().leaf():
        return "was about something else there"
    if (stage is Stage.DECIDED) != (hearing.end != "failed"):
        return f"is {hearing.end}, and there it is {stage.name.lower()}"
    if stage is Stage.DECIDED and put.verdict != _verdict(hearing, put.inputs):
        totals = put.totals(hearing.filing.contestants)
        return f"came to the totals {totals} there, not {hearing.totals_milli}"
    for seat in hearing.seats:
        if not await hearings.has_said(_leaf(id_, number, seat)):
            return f"has meant something else for {seat.judge} there"
    return ""


async def _since(
    hearings: Hearings, case: CaseDocument, hearing: Hearing, stage: Stage
) -> tuple[str, str]:
    """Of one that the file says was done by messages: what is wrong; else what has come in between since."""
    number = hearing.filing.hearing
    if not stage.over:
        return "", f"hearing {number} is being done again on the chain: what it finds there counts"
    put, course = await hearings.hearing(case_id(case.session), number)
    if put.verdict in (bytes(32), _verdict(hearing, put.inputs)):
        return "", ""
    words = "was done on the chain and came to something else"
    if course.at * 1_000 <= case.closed_ms:
        return f"{words} before the file was closed", ""
    return "", f"hearing {number} {words} after the file was closed: pay and stake go by that"


async def _left_out(hearings: Hearings, case: CaseDocument) -> str:
    """A hearing on the chain that the file should hold."""
    last = await hearings.decided(case_id(case.session)) - 1
    if last < len(case.hearings):
        return ""
    _, course = await hearings.hearing(case_id(case.session), last)
    if course.at * 1_000 > case.closed_ms:
        return ""
    return f"hearing {last} was decided on the chain, and the file leaves it out"


def _verdict(hearing: Hearing, inputs: bytes) -> bytes:
    medians = cases.flat(hearing.medians_milli)
    return verdict_hash(medians, hearing.totals_milli, hearing.margin_milli or 0, inputs)


def _leaf(case: bytes, hearing: int, seat: CaseSeat) -> SeatLeaf:
    return SeatLeaf(
        case,
        hearing,
        seat.judge,
        NO_ORDINAL if seat.ordinal is None else seat.ordinal,
        seat.skill_ppm,
        seat.pay_micros,
        int(seat.slash),
    )
