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


def played(params: Params, seed: int, folly: int | None = None, stop: int | None = None) -> State:
    """A session by the table, but for the seat `folly`, which bids and marks by chance; up to its end,
    or to `stop` pairs of bids and marks."""
    rng = random.Random(seed)
    streams = Streams(rng.randbytes(32))
    state = rules.initial(params, streams)
    table = tables.find(params)
    for step in itertools.count():
        if step == stop or rules.outcome(state) is not None:
            break
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
    (ply,) = regret.annotate(rules.place_bid(state, 1, 1, streams))["plies"]
    assert ply["mark_regret_milli"] is None
    assert "forfeit" not in ply


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("seat", [0, 1])
def test_who_forfeits_at_once_gives_the_whole_value_away(seat: int, sealed: bool) -> None:
    params, streams = Params(chips=3), Streams(b"f" * 32)
    state = rules.initial(params, streams)
    if sealed:
        state = rules.place_bid(state, 1 - seat, 2, streams)
    found = regret.annotate(rules.forfeit(state, seat))
    lost = [1_000 if each == seat else 0 for each in (0, 1)]
    assert found["plies"] == [
        {
            "ply": 0,
            "bid_regret_milli": lost,
            "mark_regret_milli": None,
            "value_milli": 0,
            "forfeit": [seat],
        }
    ]
    assert found["mean_regret_milli"] == lost


def test_a_forfeited_mark_costs_what_the_best_cell_was_worth() -> None:
    params, streams = Params(chips=3), Streams(b"f" * 32)
    state = State(params, "XX.OO....", (3, 2), None)
    state = rules.place_bid(rules.place_bid(state, 0, 2, streams), 1, 1, streams)
    table = tables.find(params)
    lost = regret._forfeit(rules.forfeit(state, 0), table, sums := [0.0, 0.0])
    assert lost["mark_regret_milli"] == 2_000, "a line was to be had"
    assert lost["bid_regret_milli"] == [0, 0]
    assert (lost["value_milli"], lost["forfeit"], sums) == (1_000, [0], [2.0, 0.0])
    start = rules.initial(params, streams)
    start = rules.place_bid(rules.place_bid(start, 0, 0, streams), 1, 1, streams)
    bid, forfeited = regret.annotate(rules.forfeit(start, 1))["plies"]
    assert bid["mark_regret_milli"] is None
    assert forfeited["forfeit"] == [1]
    assert forfeited["mark_regret_milli"] == 1_000 - forfeited["value_milli"]


def test_where_both_forfeit_the_one_who_was_ahead_loses_its_lead() -> None:
    state = State(Params(chips=3), "XX.......", (3, 2), None)
    state = rules.forfeit(rules.forfeit(state, 0), 1)
    table = tables.find(state.params)
    lost = regret._forfeit(state, table, sums := [0.0, 0.0])
    value = table.value(Position("XX.......", (3, 2)))
    assert value > 0
    assert lost["forfeit"] == [0, 1]
    assert sums == [value, 0.0]


@pytest.mark.parametrize("rules_of", RULES, ids="-".join)
def test_a_forfeit_is_scored_in_every_variant(rules_of: tuple[str, str, str]) -> None:
    for cut in range(4):
        state = played(small(rules_of), 5, stop=cut)
        open_seats = [seat for seat in (0, 1) if rules.owes(state, seat)]
        for seat in open_seats:
            found = regret.annotate(rules.forfeit(state, seat))
            *before, last = found["plies"]
            assert len(before) == len(state.log)
            assert last["forfeit"] == [seat]
            value = last["value_milli"] if seat == 0 else -last["value_milli"]
            cost = last["mark_regret_milli"]
            cost = last["bid_regret_milli"][seat] if cost is None else cost
            assert cost == pytest.approx(value + 1_000, abs=1)
            mean = cost / len(found["plies"])
            assert found["mean_regret_milli"][seat] == pytest.approx(mean, abs=1)


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
            assert rules.paid(payment, (9, 9), bids, winner) == state.chips
            return
    pytest.fail("no seed let this seat win")
