"""Which matches a gate plays: flipped, with shared seeds, chosen by nobody."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.gate import pairing
from training.gate.pairing import Arm, BadPlan, Plan
from training.gate.sprt import Bounds

SEED = bytes(range(32))


def plan(**changed: object) -> Plan:
    whole = {
        "space": "bid-tac-toe",
        "candidate": "a@v3",
        "current": "a@v2",
        "pool": ("r@v1", "s@v1"),
    }
    return msgspec.convert({**whole, **changed}, Plan)


@given(st.integers(0, 400))
def test_the_two_matches_of_a_pair_share_their_seed_and_flip_their_seats(number: int) -> None:
    first, second = pairing.against_current(plan(), number)
    assert pairing.seed_of(SEED, first) == pairing.seed_of(SEED, second)
    assert first.seats == second.seats[::-1]
    assert first.ours != second.ours
    assert first.name != second.name


def test_candidate_and_current_version_meet_the_pool_on_the_same_seeds() -> None:
    pairs = list(pairing.against_pool(plan(pool_pairs=3)))
    assert len(pairs) == 2 * 2 * 3
    names = {match.name for pair in pairs for match in pair}
    assert len(names) == 2 * len(pairs)
    by = {(m.arm, m.rival, m.pair, m.flip): pairing.seed_of(SEED, m) for p in pairs for m in p}
    for (arm, rival, number, flip), seed in by.items():
        other: Arm = "pool-current" if arm == "pool" else "pool"
        assert by[other, rival, number, flip] == seed


def test_no_seed_is_used_twice() -> None:
    seeds = {pairing.seed_of(SEED, pairing.against_current(plan(), n)[0]) for n in range(200)}
    seeds |= {pairing.seed_of(SEED, m) for p in pairing.against_pool(plan()) for m in p}
    assert len(seeds) == 200 + 2 * 10


def test_the_commitment_binds_gate_plan_bounds_and_seed() -> None:
    said = pairing.committed("g", plan(), SEED)
    assert said == pairing.committed("g", plan(), SEED)
    others = [
        pairing.committed("h", plan(), SEED),
        pairing.committed("g", plan(candidate="a@v4"), SEED),
        pairing.committed("g", plan(params={"chips": 50}), SEED),
        pairing.committed("g", plan(bounds=Bounds(p1=0.55)), SEED),
        pairing.committed("g", plan(), bytes(32)),
    ]
    assert said not in others
    assert len(set(others)) == len(others)


def test_more_seats_are_filled_by_the_pool_and_only_two_are_compared() -> None:
    five = plan(space="logic", seats=5, pool=("r@v1", "s@v1", "t@v1"))
    first, second = pairing.against_current(pairing.check(five), 0)
    assert first.seats == (0, 1, 2, 3, 4)
    assert second.seats == (1, 0, 2, 3, 4)
    assert pairing.half_points(first, (2, 3, 1, 4, 5)) == 2
    assert pairing.half_points(second, (2, 3, 1, 4, 5)) == 0
    assert pairing.half_points(first, (1, 1, 3, 3, 3)) == 1
    assert list(pairing.against_pool(five)) == []


def test_a_plan_that_cannot_be_played_is_refused() -> None:
    with pytest.raises(BadPlan, match="3 rivals must fill"):
        pairing.check(plan(space="logic", seats=5))
    with pytest.raises(BadPlan, match="different"):
        pairing.check(plan(current="a@v3"))


def test_the_current_versions_score_counts_where_it_meets_the_pool() -> None:
    *_, last = pairing.against_pool(plan(pool_pairs=1))
    assert [match.arm for match in last] == ["pool-current"] * 2
    assert pairing.half_points(last[0], (1, 2)) == 2
    assert pairing.half_points(last[1], (1, 2)) == 0
