"""What a session's seats gave away: nothing by equilibrium, something by folly, never by luck."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from spaces.bid_tac_toe import rules
from spaces.bid_tac_toe.solver import regret, tables
from spaces.bid_tac_toe.solver.table import Position
from spaces.bid_tac_toe.state import State
from spaces.bid_tac_toe.variants import Params
from spaces.seed import Streams

RULES = list(
    itertools.product(
        ("all-pay", "richman", "poorman"), ("coin", "advantage-chip", "rebid"), ("money", "draw")
    )
)


def played(params: Params, seed: int, folly: int | None = None) -> State:
    """A session by the table, but for the seat `folly`, which bids and marks by chance."""
    rng = random.Random(seed)
    streams = Streams(rng.randbytes(32))
    state = rules.initial(params, streams)
    table = tables.find(params)
    while rules.outcome(state) is None:
        position = Position(state.board, state.chips, state.advantage, state.rebids)
        winner = state.bid_winner
        if winner is not None:
            wise = winner != folly
            cell = table.best_cell(position, winner) if wise else rng.choice(state.free_cells)
            state = rules.place_mark(state, winner, cell)
            continue
        mixes = table.play(position).mixes
        for seat, mix in enumerate(mixes):
            bid = rng.choices(list(mix), list(mix.values()))[0]
            if seat == folly:
                bid = rng.randint(0, state.chips[seat])
            state = rules.place_bid(state, seat, bid, streams)
    return state


def small(rules_of: tuple[Any, Any, Any]) -> Params:
    payment, ties, decided_by = rules_of
    return Params(payment, ties, 3, decided_by)


@pytest.mark.parametrize("rules_of", RULES, ids="-".join)
def test_play_by_the_table_has_no_regret(rules_of: tuple[str, str, str]) -> None:
    for seed in range(10):
        state = played(small(rules_of), seed)
        found = regret.annotate(state)
        assert found["mean_regret_milli"] == [0, 0]
        assert [ply["ply"] for ply in found["plies"]] == [past.ply for past in state.log]
        for ply, past in zip(found["plies"], state.log, strict=True):
            assert ply["bid_regret_milli"] == [0, 0]
            assert ply["mark_regret_milli"] == (None if past.winner is None else 0)


@pytest.mark.parametrize("rules_of", RULES, ids="-".join)
def test_folly_costs_the_fool_alone(rules_of: tuple[str, str, str]) -> None:
    total = [0, 0]
    for seed in range(12):
        fool = seed % 2
        means = regret.annotate(played(small(rules_of), seed, folly=fool))["mean_regret_milli"]
        total[0] += means[fool]
        total[1] += means[1 - fool]
        assert min(means) >= 0
    assert total[0] > 200
    assert total[1] == 0


def test_the_default_session_by_the_shipped_table() -> None:
    for seed in range(6):
        wise = regret.annotate(played(Params(), seed))
        assert max(wise["mean_regret_milli"]) <= 1
        assert wise["table"].startswith("all-pay-coin-money-100@")
        assert abs(wise["plies"][0]["value_milli"]) <= 1


def test_a_hopeless_overbid_and_a_missed_line_are_told() -> None:
    params, streams = Params(), Streams(b"r" * 32)
    state = State(params, ".........", (100, 100), None)
    state = rules.place_bid(rules.place_bid(state, 0, 97, streams), 1, 0, streams)
    state = rules.place_mark(state, 0, 1)
    found = regret.annotate(state)
    (ply,) = found["plies"]
    assert ply["bid_regret_milli"][0] > 700, "97 of 100 for one mark"
    assert ply["bid_regret_milli"][1] < 20, "not to bid was in the mix, or nearly"
    assert ply["mark_regret_milli"] is not None
    assert found["mean_regret_milli"][0] >= ply["bid_regret_milli"][0]


def test_an_unrevealed_bid_and_an_owed_mark_are_left_out() -> None:
    params, streams = Params(chips=3), Streams(b"u" * 32)
    state = rules.initial(params, streams)
    assert regret.annotate(state)["plies"] == []
    assert regret.annotate(state)["mean_regret_milli"] == [0, 0]
    state = rules.place_bid(state, 0, 2, streams)
    assert regret.annotate(state)["plies"] == []
    state = rules.forfeit(rules.place_bid(state, 1, 1, streams), 0)
    (ply,) = regret.annotate(state)["plies"]
    assert ply["mark_regret_milli"] is None


def test_a_variant_without_a_table_says_how_to_get_one() -> None:
    state = rules.initial(Params(chips=5_000), Streams(b"n" * 32))
    found = regret.annotate(state)
    assert set(found) == {"unavailable"}
    assert "solver table --payment all-pay" in found["unavailable"]


@pytest.mark.parametrize("payment", ["all-pay", "richman", "poorman"])
@pytest.mark.parametrize(("bids", "winner"), [((5, 3), 0), ((2, 4), 1), ((4, 4), 0), ((4, 4), 1)])
def test_chips_are_paid_as_by_the_rules(payment: Any, bids: tuple[int, int], winner: int) -> None:
    params = Params(payment, chips=9)
    for seed in range(32):
        streams = Streams(bytes([seed]) * 32)
        state = rules.initial(params, streams)
        for seat in (0, 1):
            state = rules.place_bid(state, seat, bids[seat], streams)
        if state.bid_winner == winner:
            assert regret.paid(payment, (9, 9), bids, winner) == state.chips
            return
    pytest.fail("no seed let this seat win")
