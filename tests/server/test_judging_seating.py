"""A judge's own look: what of an arena's word it believes, and what it does not."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest

from chain.content import cid
from chain.court import messages
from chain.court import seed as seeds
from chain.court.commitment import Court
from chain.court.filing import Batch as FilingBatch
from chain.court.filing import Filing
from chain.documents.case import Filed, filing_fields
from judges.case import Case
from judges.court.draw import draw
from judges.node.duty import Sat, Stage
from judges.rubric import RAP_BATTLE
from server.judging.seating import (
    Batch,
    Misfiled,
    Shown,
    bound_of,
    check_case,
    check_told,
    panel_of,
    shown_of,
)
from server.judging.told import Misshapen, told
from server.outside.asking import Asking, Unreadable
from server.protocol import BenchSeat, CaseView
from tests.chain.court.cases import CANDIDATES, JUDGES, KEYS, SNAPSHOT, filing_of

SESSION, TRANSCRIPT = "01J00000000000000000000001", b"a transcript"
SEED = hashlib.sha256(b"seed").digest()
FILING = filing_of(SESSION, TRANSCRIPT, 0, 5)
OTHERS = [filing_of(f"01J0000000000000000000000{n}", b"x", 0, 5) for n in "23"]
FILINGS = FilingBatch([OTHERS[0], FILING, OTHERS[1]])
ON_CHAIN = Batch(FILINGS.root, SNAPSHOT.number, SEED)


def shown(filing: Filing = FILING) -> Shown:
    proof = [each.hex() for each in FILINGS.proof(1)]
    return Shown(filing_fields(filing), Filed(7, 1, proof))


def case_view(**changes: Any) -> CaseView:
    view = CaseView(
        session=SESSION,
        case=FILING.case.hex(),
        space="rap-battle",
        hearing=0,
        seats=5,
        state="committing",
        rubric="rap-battle/1",
        lines=["flow"],
        contestants=2,
        transcript=str(cid.of(TRANSCRIPT)),
        commit_by_ms=1_000,
        reveal_by_ms=2_000,
        filing=msgspec.to_builtins(shown()),
        panel=[BenchSeat(each, each, "sound", "drawn") for each in JUDGES[:5]]
        + [BenchSeat(each, each, "sound", "drawn", reserve=True) for each in JUDGES[5:7]],
    )
    return msgspec.structs.replace(view, **changes)


def test_the_panel_is_found_again_from_the_chain_alone() -> None:
    view = case_view()
    found = shown_of(view.filing)
    check_told(told(view, JUDGES[0]), found.filing.filing())
    drawn = draw(CANDIDATES, 5, seeds.words(SEED, FILING.case, 0))
    panel = panel_of(found, ON_CHAIN, SNAPSHOT)
    assert panel == [JUDGES[at] for at in (*drawn.seated, *drawn.reserves)]
    assert len(panel) == 7


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"margin": 301}, "not in batch 7"),
        ({"transcript": hashlib.sha256(b"another").digest()}, "not in batch 7"),
        ({"fee": 1}, "not in batch 7"),
    ],
)
def test_a_filing_that_is_not_on_the_chain_seats_nobody(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Misfiled, match=why):
        panel_of(shown(msgspec.structs.replace(FILING, **changes)), ON_CHAIN, SNAPSHOT)


def test_without_a_seed_or_from_another_snapshot_nobody_is_drawn() -> None:
    with pytest.raises(Misfiled, match="no seed"):
        panel_of(shown(), msgspec.structs.replace(ON_CHAIN, seed=None), SNAPSHOT)
    with pytest.raises(Misfiled, match="snapshot 3, its batch 4"):
        panel_of(shown(), msgspec.structs.replace(ON_CHAIN, snapshot=4), SNAPSHOT)
    with pytest.raises(Misfiled, match="nobody could be drawn"):
        panel_of(shown(), ON_CHAIN, msgspec.structs.replace(SNAPSHOT, judges=()))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"session": "01J00000000000000000000009"}, "not of session"),
        ({"hearing": 1}, "of hearing 0"),
        ({"transcript": str(cid.of(b"another"))}, "another transcript"),
        ({"transcript": "no cid"}, "no content id"),
    ],
)
def test_what_is_told_must_be_what_was_filed(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Misfiled, match=why):
        check_told(told(case_view(**changes), JUDGES[0]), FILING)


def test_the_question_must_be_the_rubrics() -> None:
    case = Case(space="rap-battle", task="ice", seats=2, pieces=())
    check_case(FILING, case, RAP_BATTLE)
    with pytest.raises(Misfiled, match="weights"):
        check_case(msgspec.structs.replace(FILING, weights=(1, 1, 1, 2)), case, RAP_BATTLE)
    with pytest.raises(Misfiled, match="5 contestants"):
        check_case(FILING, msgspec.structs.replace(case, seats=5), RAP_BATTLE)


@pytest.mark.parametrize("document", [None, {}, {"filing": {}, "filed": {}}])
def test_a_filing_that_cannot_be_read_is_none(document: dict[str, Any] | None) -> None:
    with pytest.raises(Misfiled):
        shown_of(document)


def states(*seats: str) -> list[BenchSeat]:
    """Of five and two reserves."""
    return [
        BenchSeat(judge, judge, "sound", state, reserve=at >= 5)  # type: ignore[arg-type]
        for at, (judge, state) in enumerate(zip(JUDGES, seats, strict=False))
    ]


def test_a_reserve_sits_once_it_is_called() -> None:
    waiting = case_view()
    assert told(waiting, JUDGES[5]).seat is Sat.NONE
    assert told(waiting, JUDGES[0].lower()).seat is Sat.DRAWN
    assert told(waiting, JUDGES[9]).seat is Sat.NONE
    called = case_view(panel=states(*["committed"] * 4, "replaced", "drawn", "drawn"))
    assert told(called, JUDGES[4]).seat is Sat.LOST
    assert told(called, JUDGES[5]).seat is Sat.DRAWN
    assert told(called, JUDGES[6]).seat is Sat.NONE
    assert not told(called, JUDGES[0]).all_committed
    done = case_view(
        state="revealing", panel=states(*["committed"] * 4, "replaced", "committed", "drawn")
    )
    assert told(done, JUDGES[0]).all_committed
    assert told(done, JUDGES[0]).stage is Stage.REVEALING


@pytest.mark.parametrize(
    ("state", "stage"),
    [
        ("wanted", Stage.EARLY),
        ("filed", Stage.EARLY),
        ("committing", Stage.COMMITTING),
        ("revealing", Stage.REVEALING),
        ("decided", Stage.OVER),
        ("failed", Stage.OVER),
        ("forced", Stage.COMMITTING),
    ],
)
def test_how_far_a_hearing_is(state: str, stage: Stage) -> None:
    found = told(case_view(state=state), JUDGES[0])
    assert (found.stage, found.forced) == (stage, state == "forced")


COURT = Court(31_337, "0x" + "c0" * 20)


def committed(judge: str, key: str = "", ordinal: int = 3) -> BenchSeat:
    """A seat that shows a commitment, signed by its own key or another's."""
    bound = hashlib.sha256(judge.encode()).digest()
    message = messages.Commit(FILING.case, FILING.hearing, bound, ordinal)
    signature = messages.sign(KEYS[key or judge], COURT, message)
    seat = BenchSeat(judge, judge, "sound", "committed")
    return msgspec.structs.replace(
        seat, commitment="0x" + bound.hex(), ordinal=ordinal, signature=signature
    )


def test_whose_commitment_is_shown_is_known_by_its_signature_alone() -> None:
    panel = panel_of(shown(), ON_CHAIN, SNAPSHOT)
    seats = [committed(each) for each in panel[:5]]
    assert bound_of(COURT, shown(), seats, panel) == {each.lower() for each in panel[:5]}
    forged = [committed(panel[0], key=panel[1]), *seats[1:]]
    assert panel[0].lower() not in bound_of(COURT, shown(), forged, panel)
    twice = [*seats[1:], seats[1]]
    assert len(bound_of(COURT, shown(), twice, panel)) == 4
    stranger = next(each for each in JUDGES if each not in panel)
    assert bound_of(COURT, shown(), [committed(stranger)], panel) == set()


@pytest.mark.parametrize(
    "changes",
    [
        {"commitment": ""},
        {"commitment": "0xzz"},
        {"ordinal": None},
        {"ordinal": -1},
        {"signature": "0x"},
        {"signature": "nonsense"},
    ],
)
def test_what_is_no_signed_commitment_binds_nobody(changes: dict[str, Any]) -> None:
    panel = panel_of(shown(), ON_CHAIN, SNAPSHOT)
    seat = msgspec.structs.replace(committed(panel[0]), **changes)
    assert bound_of(COURT, shown(), [seat], panel) == set()


@pytest.mark.parametrize(
    "changes",
    [
        {"hearing": 10**30},
        {"hearing": -1},
        {"session": "../../x"},
        {"session": "a\x00"},
        {"case": "0xzz"},
        {"commit_by_ms": 10**400},
        {"reveal_by_ms": -1},
        {"transcript": "b" * 10_000},
    ],
)
def test_what_no_arena_tells_is_not_taken(changes: dict[str, Any]) -> None:
    """It would end the judge: in a path, in SQLite, in hexadecimal."""
    with pytest.raises(Misshapen):
        told(case_view(**changes), JUDGES[0])


async def test_a_path_that_is_none_is_an_answer_that_is_none() -> None:
    async with Asking("http://127.0.0.1:9") as arena:
        with pytest.raises(Unreadable):
            await arena.get("/v1/court/cases/a\x00", 10)
