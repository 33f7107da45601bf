"""A case from its making to its end: pure, with real signatures, and read again by whoever verifies it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from chain.content import cid
from chain.documents import case as documents
from chain.verify.court.course import findings
from chain.verify.court.sat import Sat
from chain.verify.finding import Standing
from judges.court.hearing import Refused, SeatState
from judges.court.terms import TERMS
from judges.rubric import RAP_BATTLE
from server.court import docket
from server.court.case import Case, Held
from server.court.findings import document_of, verdict_of
from server.court.recount import Recount
from server.court.seam import Filed, Forced, ForcedSeat, Pool
from server.court.stakes import FIRST_SCALE, terms_of, usual
from server.court.view import brief, view_of
from tests.server.court_world import (
    CONFIG,
    COURT,
    FakeChain,
    Mind,
    accounts,
    rows,
    sheet_of,
)

NOW = 2_000_000
CLEAR, CLOSE = sheet_of(8_000, 5_000), sheet_of(6_000, 5_900)


class Court:
    """A case and its judges."""

    def __init__(self, judges: int = 12, answer: Sequence[int] | None = None) -> None:
        self.chain = FakeChain(accounts(judges))
        self.minds: dict[str, Mind] = {each.address: Mind(each) for each in self.chain.judges}
        self.pool: Pool = asyncio.run(self.chain.pool(7))
        self.batch = 0
        self.now = NOW
        terms = terms_of(RAP_BATTLE, 0, 2, usual([], 4), CONFIG, 15)
        self.case = Case(
            session="01HZZZZZZZZZZZZZZZZZZZZZZZ",
            space="rap-battle",
            transcript=str(cid.of(b"transcript")),
            rubric=RAP_BATTLE.id,
            lines=tuple(line.name for line in RAP_BATTLE.lines),
            contestants=2,
            terms=terms,
            answer=None if answer is None else tuple(answer),
            made_ms=NOW,
            hearings=(Held(hearing=0, seats=5, salt="5a" * 32),),
        )

    def draw(self) -> Case:
        case = docket.drafted(self.case, 7)
        case = docket.filed(case, Filed(self.batch, 0, (), self.now, None))
        seed = bytes([self.batch + 1]) * 32
        self.batch += 1
        self.case = docket.drawn(case, self.pool, seed, self.now)
        assert self.case.last.state == "committing"
        return self.case

    def sitting(self) -> list[Mind]:
        return [self.minds[each.judge] for each in self.case.last.panel.sitting()]

    def sitting_on_chain(self) -> list[Mind]:
        return [self.minds[each.judge] for each in self.case.last.bench]

    def commit(self, mind: Mind, sheet: Sequence[int], ordinal: int | None = None) -> None:
        message = mind.commit(self.case, sheet, ordinal)
        judge = docket.signer_of_commit(COURT, self.case, message)
        self.case = docket.committed(self.case, judge, message, self.now, 99)

    def reveal(self, mind: Mind, sheet: Sequence[int]) -> None:
        message = mind.reveal(self.case, sheet)
        judge = docket.signer_of_reveal(COURT, self.case, message)
        self.case = docket.revealed(COURT, self.case, judge, message, self.now)

    def hear(self, *sheets: Sequence[int]) -> Case:
        """All who sit judge so; the last one for the rest."""
        self.draw()
        minds = self.sitting()
        found = [sheets[min(at, len(sheets) - 1)] for at in range(len(minds))]
        for mind, sheet in zip(minds, found, strict=True):
            self.commit(mind, sheet)
        for mind, sheet in zip(minds, found, strict=True):
            self.reveal(mind, sheet)
        return self.case

    def conclude(self, seats: int = 31) -> Case:
        self.case = docket.concluded(self.case, lambda most: most <= seats, "5b" * 32, self.now)
        return self.case

    def close(self) -> Case:
        assert self.case.appeal_by_ms is not None
        self.now = self.case.appeal_by_ms
        self.case = docket.closed(self.case, self.now)
        return self.case

    def verified(self) -> dict[str, str]:
        """What a verifier says against each line of the file; nothing where it is true."""
        document = documents.encode(document_of(self.case, COURT, [self.pool.snapshot]))
        sat = Sat(
            case=documents.read(document),
            block=document,
            result=None,
            block_played=None,
            played=None,
            replayed=None,
        )
        found = findings(sat, Recount())
        return {each.what: each.words for each in found if each.standing is not Standing.TRUE}


def test_a_clear_case_is_decided_and_its_file_holds() -> None:
    court = Court()
    case = court.hear(CLEAR)
    assert (case.last.state, case.last.margin) == ("decided", 3_000)
    case = court.conclude()
    assert case.stands == 0
    assert docket.closed(case, (case.appeal_by_ms or 0) - 1) == case, "there is time to appeal"
    case = court.close()
    assert case.state == "final"
    verdict = verdict_of(case)
    assert (verdict.ranks, verdict.totals_milli) == ((1, 2), (8_000, 5_000))
    assert verdict.lines[0].reasons[0].startswith("8000 by 0x")
    assert len(verdict.judges) == 5
    assert court.verified() == {}


def test_the_time_to_appeal_does_not_begin_before_the_filing_has_given_its_judges_theirs() -> None:
    court = Court()
    court.hear(CLEAR)
    case = court.conclude()
    assert case.appeal_by_ms == NOW + (100 + 100 + 50 + 30) * 1_000, "and their reserves"


def test_messages_are_in_the_order_of_their_times_whoever_looked_at_the_clock_first() -> None:
    court = Court()
    court.draw()
    for number, mind in enumerate(court.sitting()):
        court.now = NOW + 50 - number
        court.commit(mind, CLEAR)
    for number, mind in enumerate(court.sitting()):
        court.now = NOW + 90 - number
        court.reveal(mind, CLEAR)
    court.conclude()
    court.close()
    assert court.verified() == {}


def test_nothing_of_a_sheet_is_told_before_all_have_revealed() -> None:
    court = Court()
    court.draw()
    minds = court.sitting()
    for mind in minds:
        court.commit(mind, CLEAR)
    for mind in minds[:-1]:
        court.reveal(mind, CLEAR)
        view = view_of(court.case)
        assert (view.sheets, view.medians_milli, view.totals_milli) == ([], [], [])
        assert view.margin_milli is None
        assert "8000" not in str(msgspec.structs.replace(view, panel=[]))  # which has signatures
    court.reveal(minds[-1], CLEAR)
    assert [each.scores_milli for each in view_of(court.case).sheets] == [rows(CLEAR)] * 5


def test_what_each_is_bound_to_is_told_once_nobody_can_choose_any_more() -> None:
    court = Court()
    court.draw()
    minds = court.sitting()
    for mind in minds:
        assert not any(seat.commitment for seat in view_of(court.case).panel)
        court.commit(mind, CLEAR)
    seats = [seat for seat in view_of(court.case).panel if not seat.reserve]
    assert all(seat.commitment and seat.signature and seat.ordinal is not None for seat in seats)
    assert not any(seat.commitment for seat in brief(view_of(court.case)).panel)


def test_the_answer_of_an_audit_stays_hidden_until_the_case_is_closed() -> None:
    court = Court(answer=sheet_of(9_000, 1_000))
    court.hear(sheet_of(1_000, 9_000), CLEAR)
    assert "9000, 1000" not in str(view_of(court.case))
    worst, *rest = [each.skill or 0 for each in court.case.last.bench if each.skill is not None]
    assert worst < min(rest)
    court.conclude()
    court.close()
    assert court.verified() == {}
    assert "audit" in verdict_of(court.case).note


def test_a_close_case_is_looked_at_by_a_bigger_panel_which_is_paid_in_proportion() -> None:
    court = Court(judges=40)
    court.hear(CLOSE)
    case = court.conclude()
    assert (case.last.hearing, case.last.seats, case.last.state) == (1, 11, "wanted")
    assert case.hearings[0].end == "escalated"
    case = court.hear(CLEAR)
    assert court.conclude().stands == 1
    court.close()
    assert court.verified() == {}
    assert verdict_of(court.case).ranks == (1, 2)


def test_a_clear_winner_that_a_bigger_panel_takes_down_costs_those_who_made_it() -> None:
    court = Court(judges=40)
    court.hear(sheet_of(3_000, 8_000))
    # an appeal, as the chain tells of it, makes the next hearing; here it is drawn by the clerk
    court.case = docket._ends(court.case, "appealed")
    again = Held(hearing=1, seats=11, salt="5c" * 32)
    court.case = court.case.with_hearing(again)
    court.hear(CLEAR)
    court.conclude()
    court.close()
    lock = int(court.case.terms.lock)
    assert {each.slash for each in court.case.hearings[0].bench if not each.reserve} == {str(lock)}
    assert court.verified() == {}


def test_who_does_not_commit_is_replaced_and_pays() -> None:
    court = Court()
    court.draw()
    *there, gone = court.sitting()
    for mind in there:
        court.commit(mind, CLEAR)
    court.now = court.case.last.by_ms or 0
    court.case = docket.passed(court.case, court.now)
    assert [each.state for each in court.case.last.bench].count(SeatState.REPLACED) == 1
    called = court.sitting()[-1]
    court.commit(called, CLEAR)
    for mind in court.sitting():
        court.reveal(mind, CLEAR)
    assert court.case.last.state == "decided"
    lost = {each.judge: int(each.slash) for each in court.case.last.bench}
    assert lost[gone.address] == int(court.case.terms.lock) * TERMS.no_commit_bps // 10_000
    court.conclude()
    court.close()
    assert court.verified() == {}


def test_two_panels_that_find_nothing_end_the_case() -> None:
    court = Court(judges=40)
    for _ in range(2):
        court.draw()
        for _ in range(2):
            court.now = court.case.last.by_ms or 0
            court.case = docket.passed(court.case, court.now)
        assert court.case.last.state == "failed"
        court.conclude()
    assert court.case.state == "void"
    assert court.verified() == {}


def refused(court: Court, judge: Mind, sheet: Sequence[int], ordinal: int = 0) -> str:
    with pytest.raises(Refused) as caught:
        court.commit(judge, sheet, ordinal)
    return caught.value.word


def test_what_is_refused() -> None:
    court = Court()
    court.draw()
    mind, other = court.sitting()[:2]
    stranger = next(
        each
        for each in court.minds.values()
        if each.address not in {seat.judge for seat in court.case.last.bench}
    )
    assert refused(court, stranger, CLEAR) == "not-seated"
    assert refused(court, mind, CLEAR, ordinal=99) == "ordinal"
    with pytest.raises(Refused, match="4 lines of 2"):
        court.reveal(mind, sheet_of(8_000, 5_000)[:6])
    court.commit(mind, CLEAR)
    with pytest.raises(docket.Known):
        court.commit(mind, CLEAR, ordinal=0)
    assert refused(court, mind, CLOSE, ordinal=1) == "twice"
    with pytest.raises(Refused, match="when all have committed"):
        court.reveal(mind, CLEAR)
    for each in court.sitting()[1:]:
        court.commit(each, CLEAR)
    with pytest.raises(Refused) as caught:
        court.reveal(mind, CLOSE)
    assert caught.value.word == "other-scores"
    message = other.commit(court.case, CLEAR, 5)
    broken = "0x" + "00" * 65
    with pytest.raises(Refused, match="signature"):
        docket.signer_of_commit(COURT, court.case, type(message)(0, message.commitment, 5, broken))


def test_a_batch_that_is_lost_is_drafted_again() -> None:
    court = Court()
    case = docket.drafted(court.case, 7)
    case = docket.filed(case, Filed(0, 0, (), NOW, None))
    case = docket.filed(case, Filed(0, 0, (), NOW, None, lost=True))
    assert (case.last.state, case.last.filing) == ("wanted", None)
    court.case = case
    court.hear(CLEAR)


def test_a_panel_that_cannot_be_filled_has_failed() -> None:
    court = Court(judges=4)
    case = docket.drafted(court.case, 7)
    case = docket.filed(case, Filed(0, 0, (), NOW, None))
    case = docket.drawn(case, court.pool, b"\1" * 32, NOW)
    assert (case.last.state, case.last.over) == ("failed", True)


def test_what_was_usual_is_what_was_found_before() -> None:
    few = [Held(hearing=0, seats=5, salt="", medians=(9_000, 7_000))] * 7
    assert usual(few, 1).scale == FIRST_SCALE
    many = [*few, few[0]]
    assert (usual(many, 1).prior, usual(many, 1).scale) == ((8_000,), 1_000_000)


def forced(court: Court, **values: object) -> Forced:
    """The last hearing, on the chain, with the bench that it has."""
    seats = tuple(
        ForcedSeat(each.judge, each.operator, each.family, "drawn", each.reserve)
        for each in court.case.last.bench
    )
    standing = Forced(court.case.last.hearing, "open", seats)
    return msgspec.structs.replace(standing, **values)


def test_a_hearing_that_is_put_on_the_chain_goes_on_there() -> None:
    court = Court()
    court.draw()
    mind = court.sitting()[0]
    court.commit(mind, CLEAR)
    court.case = docket.followed(court.case, [forced(court)])
    assert court.case.last.state == "forced"
    assert docket.followed(court.case, [forced(court)]) == court.case
    assert docket.passed(court.case, 10**15) == court.case, "the clerk's clock stands still"
    assert refused(court, court.sitting_on_chain()[1], CLEAR) == "forced"
    found = forced(
        court, state="decided", medians=CLOSE, totals=(6_000, 5_900), margin=100, ended_ms=NOW + 5
    )
    court.case = docket.followed(court.case, [found])
    assert (court.case.last.state, court.case.last.totals) == ("decided", (6_000, 5_900))
    assert view_of(court.case).totals_milli == [6_000, 5_900]


def test_what_the_clerk_had_begun_after_a_hearing_that_is_forced_is_dropped() -> None:
    court = Court(judges=40)
    court.hear(CLOSE)
    before = court.case
    court.conclude()
    assert len(court.case.hearings) == 2
    again = Forced(0, "open")
    case = docket.followed(court.case, [again])
    assert len(case.hearings) == 1
    assert (case.last.state, case.stands) == ("forced", None)
    assert case.last.bench == before.last.bench


def test_an_appeal_adds_a_hearing_and_the_verdict_waits_for_it() -> None:
    court = Court(judges=40)
    court.hear(CLEAR)
    court.conclude()
    filing = (court.case.last.filing or pytest.fail("it was filed")).filing()
    bigger = msgspec.structs.replace(filing, hearing=1, seats=11)
    appeal = Forced(1, "open", filing=bigger, batch=9)
    case = docket.followed(court.case, [appeal])
    assert (len(case.hearings), case.hearings[0].end, case.last.state) == (2, "appealed", "forced")
    assert docket.closed(case, 10**15) == case
    done = msgspec.structs.replace(
        appeal, state="decided", medians=CLOSE, totals=(5_900, 6_000), margin=100, ended_ms=NOW
    )
    case = docket.followed(case, [done])
    case = docket.concluded(case, lambda seats: False, "5d" * 32, NOW)
    assert case.stands == 1
    assert case.appeal_by_ms == NOW + 30_000


def test_what_comes_after_a_case_is_closed_moves_no_money() -> None:
    court = Court()
    court.hear(CLEAR)
    court.conclude()
    case = court.close()
    assert docket.followed(case, [Forced(0, "open")]) == case
