"""Trade Wars: money, rounds, the oracle's answers, and what is seen when."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.seed import Streams
from spaces.space import (
    IllegalAction,
    InvalidAction,
    InvalidObservation,
    InvalidParams,
    Observation,
    Outcome,
)
from spaces.trade_wars import TradeWars, market
from spaces.trade_wars.state import MAX_EQUITY, SEATS, Order, State
from spaces.transcript import read
from tests.conformance.rig import Dice, play, seed_of

WARS = TradeWars()
STREAMS = Streams(seed_of(7))
STAKE = 10_000_000
UNMASKED = {"series": "gold", "first": "1999-01-04", "last": "1999-03-12"}


def learn(state: State, value: dict[str, Any], source: str = "recorded sha256:00") -> State:
    return WARS.learn(state, Observation(source, value), STREAMS)


def opened(**params: Any) -> State:
    """A session after its history, whose last close is 100."""
    state = WARS.initial(WARS.params({"history": 5, "candles": 2, "rounds": 2, **params}), STREAMS)
    value: dict[str, Any] = {"candles": [["100", "101.5", "99", "100"]] * 5}
    return learn(state, value | ({"after_ms": 1} if state.params.feed == "live" else {}))


def order(state: State, *orders: str | None) -> State:
    """Each seat's order in turn; None forfeits, seats without money are left out."""
    for seat, said in enumerate(orders):
        if said is None:
            state = WARS.forfeit(state, seat, STREAMS)
        else:
            state = WARS.apply(state, seat, WARS.parse("order", f"order: {said}"), STREAMS)
    return state


def candle(state: State, close: str, open: str = "100") -> State:
    prices = sorted([open, close], key=float)
    return learn(state, {"open": open, "high": prices[1], "low": prices[0], "close": close})


FIVE = ("LONG 50", "SHORT 50", "LONG 100", "FLAT", None)


def test_positions_are_marked_at_every_close() -> None:
    state = candle(order(opened(), *FIVE), "110")
    assert state.equity == (10_500_000, 9_500_000, 11_000_000, STAKE, STAKE)
    seen = WARS.observe(state, None)
    assert seen["phase"] == "candles"
    assert seen["candle"] == 1
    assert seen["positions"][0] == {
        "side": "LONG", "size": 50, "exposure": 5_000_000, "pnl": 500_000, "liquidated": False,
    }  # fmt: skip
    assert seen["ranks"] == [2, 5, 1, 3, 3]
    assert seen["curves"][1] == [STAKE, 9_500_000]
    state = candle(state, "90", open="110")
    assert state.equity == (9_500_000, 10_500_000, 9_000_000, STAKE, STAKE)


def test_a_round_ends_flat_and_the_next_one_opens_at_the_last_close() -> None:
    state = candle(candle(order(opened(), *FIVE), "110"), "120", open="110")
    assert WARS.observe(state, None)["phase"] == "decide"
    assert WARS.observe(state, None)["positions"] is None
    state = order(state, "LONG 100", "FLAT", "FLAT", "FLAT", "FLAT")
    assert state.rounds[-1].entry == "120"
    # A gap between two candles is nobody's gain but theirs who hold a position.
    state = candle(state, "132", open="131")
    assert state.equity == (12_100_000, 9_000_000, 12_000_000, STAKE, STAKE)


def test_after_the_last_round_the_series_is_unmasked_and_returns_are_cents() -> None:
    state = opened(rounds=1, candles=1)
    state = candle(order(state, *FIVE), "110")
    assert WARS.outcome(state) is None
    inquiry = WARS.inquiry(state)
    assert inquiry is not None
    assert inquiry.kind == "unmask"
    assert WARS.observe(state, 0)["series"] is None
    state = learn(state, UNMASKED, source="vega-datasets 0.9, gold.csv, row 17")
    assert WARS.outcome(state) == Outcome("complete", (500_000, -500_000, 1_000_000, 0, 0))
    assert WARS.observe(state, None)["series"]["name"] == "gold"
    assert "gold, 1999-01-04 to 1999-03-12" in WARS.render(state)


def test_a_short_is_liquidated_at_the_close_that_leaves_nothing_and_stays_so() -> None:
    state = order(opened(), "SHORT 100", "SHORT 50", "FLAT", "FLAT", "FLAT")
    state = candle(state, "200")
    assert state.equity[:2] == (0, 5_000_000)
    assert WARS.observe(state, None)["positions"][0]["liquidated"]
    state = candle(state, "50", open="200")
    assert state.equity[:2] == (0, 12_500_000)
    assert [decision.seat for decision in WARS.decisions(state)] == [1, 2, 3, 4]
    with pytest.raises(IllegalAction, match="seat 0 has nothing to decide now"):
        order(state, "LONG 10")


def test_a_high_between_closes_liquidates_nobody() -> None:
    state = order(opened(), "SHORT 100", "FLAT", "FLAT", "FLAT", "FLAT")
    state = learn(state, {"open": "100", "high": "900", "low": "1", "close": "99"})
    assert state.equity[0] == 10_100_000


def test_when_nobody_has_money_left_the_session_is_over() -> None:
    state = candle(order(opened(candles=1), *["SHORT 100"] * SEATS), "300")
    assert WARS.decisions(state) == ()
    state = learn(state, UNMASKED)
    assert WARS.outcome(state) == Outcome("bankruptcy", (-STAKE,) * SEATS)


PRICE = st.decimals("0.000000001", "999999999999999", places=9).map(
    lambda price: format(price.normalize(), "f")
)
ORDERS = st.builds(Order, st.sampled_from(["LONG", "SHORT", "FLAT"]), st.integers(0, 100))


@given(st.integers(0, MAX_EQUITY), ORDERS, PRICE, PRICE)
def test_equity_is_never_negative_and_never_rounded_up(
    start: int, order: Order, entry: str, close: str
) -> None:
    after = market.mark(start, order, entry, close)
    assert 0 <= after <= MAX_EQUITY
    assert market.exposure(start, order) <= start
    long, short = (
        market.mark(start, Order(side, order.size), entry, close) for side in ("LONG", "SHORT")
    )
    if 0 < long < MAX_EQUITY and 0 < short < MAX_EQUITY:
        assert 2 * start - 1 <= long + short <= 2 * start


@given(st.integers(0, MAX_EQUITY), ORDERS, PRICE)
def test_a_price_that_stays_changes_nothing(start: int, order: Order, price: str) -> None:
    assert market.mark(start, order, price, price) == start


def test_orders_are_secret_until_all_are_in() -> None:
    state = order(opened(), "LONG 77", "SHORT 33")
    seen = WARS.observe(state, 1)
    assert seen["your_order"] == {"side": "SHORT", "size": 33}
    assert seen["decided"] == [True, True, False, False, False]
    public = f"{WARS.observe(state, None)}{WARS.render(state)}{WARS.headline(state)}"
    assert "77" not in public
    assert "33" not in public
    state = WARS.forfeit(state, 2, STREAMS)
    for seat in (3, 4):
        state = WARS.apply(state, seat, Order("FLAT"), STREAMS)
    assert WARS.observe(state, None)["log"][0]["orders"] == [
        {"side": "LONG", "size": 77},
        {"side": "SHORT", "size": 33},
        None,
        {"side": "FLAT", "size": 0},
        {"side": "FLAT", "size": 0},
    ]


def test_neither_the_draw_nor_a_source_shows() -> None:
    state = candle(order(opened(), *FIVE), "110")
    for viewer in (None, *range(SEATS)):
        shown = f"{WARS.observe(state, viewer)}{WARS.notes(state)}{WARS.render(state)}"
        assert state.draw not in shown
        assert "sha256" not in shown


def test_the_oracle_is_asked_for_one_window_all_along() -> None:
    state = WARS.initial(WARS.params({"rounds": 2, "candles": 3, "candle_ms": 500}), STREAMS)
    asked = []
    session = play(WARS, {"rounds": 2, "candles": 3, "candle_ms": 500}, 7)
    for state in session.states:
        inquiry = WARS.inquiry(state)
        if inquiry is not None:
            asked.append((inquiry.kind, inquiry.ask.get("index"), inquiry.delay_ms))
            window = {key: inquiry.ask[key] for key in ("draw", "series", "history", "candles")}
            assert window == {"draw": state.draw, "series": "", "history": 30, "candles": 6}
    played = [("candle", index, 500) for index in range(6)]
    assert asked == [("history", None, 0), *played, ("unmask", None, 0)]


def test_a_live_round_opens_at_a_price_that_nobody_has_seen() -> None:
    state = opened(feed="live", series="BTC/USDT", candles=1)
    assert state.params.gap == 3  # 30 s for the oracle and twice 30 s to decide, of 60 s, and one
    state = order(state, *FIVE)
    inquiry = WARS.inquiry(state)
    assert inquiry is not None
    assert inquiry.ask["index"] == 3
    assert inquiry.ask["after_ms"] == 1
    assert inquiry.limit_ms > 4 * 60_000
    assert WARS.observe(state, None)["entry"] is None
    state = candle(state, "220", open="200")
    assert state.rounds[0].entry == "200"
    assert state.equity[0] == 10_500_000
    state = order(state, *FIVE)
    inquiry = WARS.inquiry(state)
    assert inquiry is not None
    assert inquiry.ask["index"] == 7


GOOD = {"open": "10", "high": "12", "low": "9", "close": "11"}


@pytest.mark.parametrize(
    "change",
    [
        {"low": "0"},
        {"low": "-1"},
        {"low": "10.5"},
        {"high": "10.5"},
        {"close": "12.5"},
        {"close": "1e1"},
        {"close": "11.0"},
        {"close": 11},
        {"close": "nan"},
        {"volume": "1"},
    ],
)
def test_what_is_no_candle_is_refused(change: dict[str, Any]) -> None:
    state = order(opened(), *FIVE)
    learn(state, GOOD)
    with pytest.raises(InvalidObservation):
        learn(state, GOOD | change)
    with pytest.raises(InvalidObservation):
        learn(state, {"open": "10"})


def test_a_history_of_another_length_or_feed_is_refused() -> None:
    state = WARS.initial(WARS.params({"history": 5}), STREAMS)
    row = ["1", "1", "1", "1"]
    with pytest.raises(InvalidObservation, match="5 candles were asked for, got 4"):
        learn(state, {"candles": [row] * 4})
    with pytest.raises(InvalidObservation, match="after_ms is for a live feed"):
        learn(state, {"candles": [row] * 5, "after_ms": 5})


def test_a_name_that_is_not_plain_is_refused() -> None:
    state = candle(order(opened(rounds=1, candles=1), *FIVE), "110")
    for told in ({"series": "go\x1bld"}, {"first": ""}, {"last": "x" * 101}):
        with pytest.raises(InvalidObservation):
            learn(state, UNMASKED | told)


def test_notes_tell_each_round_so_that_it_can_be_reckoned_again() -> None:
    session = play(WARS, {}, 4, Dice(forfeit=0.1))
    told = [
        entry.body["body"] for entry in read(session.document()).entries if entry.type == "note"
    ]
    assert [note["round"] for note in told] == [1, 2, 3, 4, 5]
    for note in told:
        for start, said, end in zip(
            note["start_cents"], note["orders"], note["end_cents"], strict=True
        ):
            held = Order(said["side"], said["size"]) if said else None
            # A liquidated seat stays at 0, whatever the exit.
            assert end in (0, market.mark(start, held, note["entry"], note["exit"]))


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"feed": "live"}, "a live feed needs a series"),
        ({"series": "two\nlines"}, "one plain line"),
        ({"feed": "live", "series": "X", "oracle_ms": 3_600_000, "rounds": 10, "candles": 50},
         "take fewer rounds, or a shorter decide_ms or oracle_ms"),
        ({"stake": 0}, "stake"),
        ({"feed": "dreams"}, "feed"),
    ],
)  # fmt: skip
def test_parameters_out_of_range_say_what_helps(raw: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidParams, match=told):
        WARS.params(raw)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("order: LONG 40", Order("LONG", 40)),
        ("order: short 100%", Order("SHORT", 100)),
        ("**Order:** FLAT", Order("FLAT")),
        ("order: FLAT 50", Order("FLAT")),
        ('{"side": "LONG", "size": 40}', Order("LONG", 40)),
        ('{"side": "flat"}', Order("FLAT")),
        ('order: LONG 10\nNo: {"side": "SHORT", "size": 5, "why": "down"}', Order("SHORT", 5)),
        ('{"side": "LONG", "size": 5}\norder: LONG 101', Order("LONG", 5)),
        ("order: LONG 0", Order("LONG", 0)),
        ("> order = LONG, 7 %.", Order("LONG", 7)),
    ],
)
def test_the_last_well_formed_order_counts(text: str, said: Order) -> None:
    assert WARS.parse("order", text) == said


@pytest.mark.parametrize(
    "text",
    [
        "", "LONG 40", "I go LONG with 40", "order: LONG", "order: LONG 101", "order: LONG -5",
        "order: BUY 40", '{"side": "LONG"}', '{"side": "LONG", "size": "40"}', "order: LONG NUMBER",
        '{"side": "LONG", "size": 40.5}', "order: LONG ٤٠", "order: LONG 40 or SHORT 30",
    ],
)  # fmt: skip
def test_what_is_no_order_is_told_the_format(text: str) -> None:
    with pytest.raises(
        InvalidAction, match="no order found; answer with one line `order: LONG 40`"
    ):
        WARS.parse("order", text)


def test_a_flat_order_with_a_size_is_no_order_of_ours() -> None:
    with pytest.raises(IllegalAction, match="FLAT has size 0, got 5"):
        WARS.apply(opened(), 0, Order("FLAT", 5), STREAMS)


def test_the_longest_session_fits_into_a_transcript() -> None:
    session = play(WARS, {"rounds": 10, "candles": 50, "history": 200}, 2)
    assert len(session.document()) < 400_000
