"""Trade Wars on the spectator's screen."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.protocol import SeatCard, SessionView, Snapshot
from tests.tui_client.painted import assert_fills, words_on
from tui_client import recording, screenshot, theme
from tui_client.recording import market
from tui_client.screenshot import folded
from tui_client.space_views import view_of
from tui_client.state import Input, Open, State
from tui_client.widgets.session.title import paint_title
from tui_client.widgets.trade_wars.candles import paint_candles, slots, window
from tui_client.widgets.trade_wars.desk import paint_desk
from tui_client.widgets.trade_wars.observed import trade_wars

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

decimals = st.one_of(
    st.sampled_from(["1", "0.000000001", "999999999999999", "41.2", "0"]),
    st.integers(1, 10**15 - 1).map(str),
)
cents = st.one_of(st.integers(0, 10**15), st.sampled_from([0, 10**15, -(10**15)]))


def watching(view: SessionView) -> State:
    happened: list[Input] = [Open(recording.MARKET), *market.market_start(view)]
    return folded(happened)


def with_state(view: SessionView, **changes: Any) -> SessionView:
    return msgspec.structs.replace(view, state={**view.state, **changes})


@st.composite
def markets(draw: st.DrawFn) -> SessionView:
    """Shapes that a server of other mind could send: any numbers, few or no candles, long names."""
    rounds, candles = draw(st.sampled_from([(0, 0), (1, 0), (3, 5), (5, 10), (6, 0)]))
    view = market.market_view(rounds, candles)
    changes: dict[str, Any] = {
        "equity": draw(st.lists(cents, min_size=5, max_size=5)),
        "ranks": draw(st.lists(st.integers(0, 10_000), min_size=5, max_size=5)),
        "stake": draw(cents),
        "round": draw(st.integers(0, 10_000)),
        "candle": draw(st.integers(0, 10_000)),
        "phase": draw(st.sampled_from(["history", "decide", "candles", "over", "\x1b[2J"])),
    }
    prices = st.lists(decimals, min_size=4, max_size=4)
    for name in ("history", "candles"):
        if draw(st.booleans()):
            changes[name] = draw(st.lists(prices, max_size=6))
    if draw(st.booleans()):
        changes["curves"] = draw(st.sampled_from([[], [[]] * 5, [[1, 10**15]] * 5]))
    if draw(st.booleans()):
        changes["entry"] = draw(decimals)
    if view.state["series"] is not None:
        changes["series"] = dict.fromkeys(("name", "first", "last", "source"), draw(st.text()))
    seats = [SeatCard(seat, "a", draw(st.text(max_size=90)), "v") for seat in range(5)]
    status = draw(st.sampled_from(["live", "ended", "void"]))
    outcome = draw(st.sampled_from([None, {"reason": "\x1b[2Jx"}, {"termination": "complete"}]))
    changed = with_state(view, **changes)
    return msgspec.structs.replace(changed, seats=seats, status=status, outcome=outcome)


@unhurried
@given(markets(), st.integers(20, 140), st.integers(4, 40), st.integers(0, 300))
def test_whatever_the_numbers_are_the_panes_keep_their_size(
    view: SessionView, width: int, height: int, scroll: int
) -> None:
    state = msgspec.structs.replace(watching(view), scroll=scroll)
    assert view_of(view) is not None
    assert_fills(paint_candles(state, width, height), width, height)
    assert_fills(paint_desk(state, width, height), width, height)
    paint_title(state, width)


def test_every_moment_of_a_session_is_readable() -> None:
    for rounds, candles in market.states():
        view = market.market_view(rounds, candles)
        assert trade_wars(view) is not None
        assert_fills(paint_candles(watching(view), 80, 11), 80, 11)


def test_what_cannot_be_read_gets_the_plain_view() -> None:
    view = market.market_view(3, 5)
    for changes in (
        {"equity": [1, 2]},
        {"history": [["NaN", "1", "1", "1"]]},
        {"history": [["1e999", "1", "1", "1"]]},
        {"rounds": 10**9},
        {"positions": [{"side": "UP", "size": 1}] * 5},
        {"log": [{"round": 1, "orders": [], "pnl": []}]},
    ):
        assert view_of(with_state(view, **changes)) is None
    other = [msgspec.structs.replace(card, seat=card.seat + 1) for card in view.seats]
    assert view_of(msgspec.structs.replace(view, seats=other)) is None


def test_the_round_that_is_played_is_in_sight_and_scrolling_goes_back() -> None:
    seen = trade_wars(market.market_view(2, 3))
    assert seen is not None
    every = slots(seen)
    assert len(every) == 30 + 5 * 11
    shown = window(every, 2, 40, 0)
    assert len(shown) == 40
    assert shown[-1].round == 2
    assert window(every, 2, 40, 11)[-1].round == 1
    assert window(every, 2, 40, 10_000) == every[:40]
    assert window(every, 2, 500, 7) == every


def test_orders_are_sealed_until_all_are_in() -> None:
    state = folded(screenshot.trade_wars_decide())
    desk = words_on(paint_desk(state, 120, 8))
    assert desk.count("sealed ▮") == 2
    assert desk.count("decides 0:1") == 3
    assert "LONG" not in desk


def test_positions_and_gains_of_the_running_round() -> None:
    rows = paint_desk(folded(screenshot.trade_wars()), 120, 8)
    hawk = next(row for row in rows if "Hawk" in row.plain)
    assert "1  C Hawk" in hawk.plain
    assert "▲ LONG  90%" in hawk.plain
    assert "+105.44    103,446.31" in hawk.plain
    assert any(span.style == theme.SEATS[0] for span in hawk.spans)
    chart = words_on(paint_candles(folded(screenshot.trade_wars()), 120, 21))
    assert "3 ▲2 ▼2" in chart
    assert "┈ entry  now +0.11 %" in chart


def test_the_series_is_named_at_the_end_and_the_winner_told() -> None:
    state = folded(screenshot.trade_wars_result())
    assert "IT WAS  Saltmarsh Mills, daily  2004-03-08 to 2004-05-14" in words_on(
        paint_candles(state, 80, 11)
    )
    desk = words_on(paint_desk(state, 80, 8))
    assert "1  A Nova          WINS" in desk
    assert desk.count("WINS") == 1
    assert "RESULT  every round was played" in desk


def test_who_has_lost_everything_is_told_in_words() -> None:
    view = market.market_view(3, 5)
    equity = [*view.state["equity"][:4], 0]
    state = watching(with_state(view, equity=equity))
    row = next(row for row in paint_desk(state, 80, 8) if "Bear" in row.plain)
    assert "✗ LIQUIDATED" in row.plain
    assert theme.ALARM in [span.style for span in row.spans]


def test_nobody_leads_while_all_have_the_same() -> None:
    rows = paint_desk(watching(market.market_view(0)), 80, 8)
    assert words_on(rows).count("│ ·  ") == 5
    styles = {span.style for row in rows for span in row.spans}
    assert not styles & set(theme.SEATS)


def test_the_ticker_says_what_the_oracle_said() -> None:
    told = [note.text for note in _notes(screenshot.trade_wars_result())]
    assert told == ["it was Saltmarsh Mills, daily", "play is over: every round was played"]
    assert [note.text for note in _notes(screenshot.trade_wars())] == ["the price is 44.15"]


def _notes(happened: list[Input]) -> Any:
    spectated = folded(happened).spectated
    assert spectated is not None
    return spectated.notes


def test_an_observation_that_changes_is_read_anew() -> None:
    first, second = market.market_view(1, 2), market.market_view(1, 3)
    for view, candle in ((first, 2), (second, 3), (first, 2)):
        seen = trade_wars(view)
        assert seen is not None
        assert seen.candle == candle
    assert trade_wars(None) is None
    assert trade_wars(recording.rap_view(0)) is None
    assert isinstance(market.market_start(first)[0], Snapshot)


def test_a_void_market_says_why_and_ranks_nobody() -> None:
    """Also where play was over and only the series had to be named: nobody has won."""
    for rounds, candles in ((3, 5), (5, 10)):
        view = msgspec.structs.replace(
            with_state(market.market_view(rounds, candles), positions=None, phase="unmask"),
            status="void",
            outcome={"reason": "the oracle did not answer"},
        )
        for width in (80, 120):
            rows = paint_desk(watching(view), width, 8)
            assert_fills(rows, width, 8)
            desk = words_on(rows)
            assert "VOID  the oracle did not answer; nobody is scored" in desk
            assert "WINS" not in desk
            assert not any(character.isdigit() for character in desk)
