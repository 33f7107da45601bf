"""When snapshots are taken and seeds asked for, and what a reorganisation does to panels."""

from __future__ import annotations

import msgspec
import pytest

from chain.client import plans
from chain.documents.case import Commitment
from judges.court.terms import MIN_STAKE, TERMS
from server.court.case import Case, Chair, Held, Terms
from server.court.onchain import doings
from server.court.onchain.reseeded import reseeded

GAP, MOST = 600, 7_200


@pytest.mark.parametrize(
    ("age_s", "changed", "wanted", "due"),
    [
        (None, True, False, True),
        (None, False, True, False),
        (GAP - 1, True, True, False),
        (GAP, True, False, True),
        (MOST // 2, False, True, False),
        (MOST // 2 + 1, False, True, True),
        (10 * MOST, False, False, False),
    ],
)
def test_a_snapshot_is_taken_when_it_says_something_new_or_somebody_wants_to_file(
    age_s: int | None, changed: bool, wanted: bool, due: bool
) -> None:
    newest_s = None if age_s is None else 1_000_000 - age_s
    found = doings.snapshot_due(newest_s, 1_000_000, GAP, MOST, changed=changed, wanted=wanted)
    assert found is due


def test_what_could_come_too_late_is_not_filed() -> None:
    assert not doings.too_old(0, MOST - MOST // 8, MOST)
    assert doings.too_old(0, MOST - MOST // 8 + 1, MOST)


def test_a_seed_is_asked_for_when_its_block_is_there_and_lost_when_no_chain_knows_it() -> None:
    assert not doings.seedable(100, 99)
    assert doings.seedable(100, 100)
    assert not doings.is_over(100, 356)
    assert doings.is_over(100, 357)


def held(**values: object) -> Case:
    judge = Chair("0x" + "aa" * 20, "0x" + "bb" * 20, "words", reserve=False)
    made = Held(
        hearing=0, seats=3, salt="5a" * 32, state="committing", seed="11" * 32, bench=(judge,), by_ms=9
    )  # fmt: skip
    terms = Terms((1,), (5_000,), 1, 0, "1", 0, 1, 1, 1, 0, 0)
    return Case(
        session="S", space="rap-battle", transcript="b", rubric="r", lines=("a",), contestants=2,
        terms=terms, made_ms=0, hearings=(msgspec.structs.replace(made, **values),),
    )  # fmt: skip


COMMITTED = Commitment(
    i=0, ms=1, judge="0x" + "aa" * 20, commitment="22" * 32, ordinal=0, sig=None, prev="00" * 32
)


def test_another_seed_draws_again_unless_somebody_has_committed() -> None:
    again = reseeded(held(), "33" * 32, 5)
    assert (again.last.state, again.last.bench, again.last.seed) == ("wanted", (), None)
    bound = reseeded(held(messages=(COMMITTED,)), "33" * 32, 5)
    assert (bound.last.state, bound.last.ended_ms) == ("failed", 5)
    assert bound.last.over
    for as_it_is in (held(seed="33" * 32), held(state="decided", ended_ms=1), held(state="forced")):
        assert reseeded(as_it_is, "33" * 32, 5) == as_it_is


def test_the_contracts_terms_are_the_rules_own() -> None:
    reckoner, court = plans.ReckonerTerms(), plans.COURT_TERMS
    assert (reckoner.skill_floor, reckoner.skill_top) == (TERMS.skill_floor, TERMS.skill_top)
    assert reckoner.outlier_milli == TERMS.outlier_milli
    assert reckoner.outlier_spread == TERMS.outlier_spread
    for name in (
        "no_commit_bps",
        "no_reveal_bps",
        "rolling_floor",
        "rolling_bps",
        "overturned_bps",
    ):
        assert getattr(court, name) == getattr(TERMS, name)
    assert plans.REGISTRY_TERMS.min_stake == MIN_STAKE
