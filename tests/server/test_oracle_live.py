"""The live feed over a small exchange of our own: only what is closed counts, and nothing is guessed."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from operator import add
from typing import Any

import pytest

from server.config import ConfigError
from server.oracle import Oracle, OracleFault
from server.oracle.feeds import oracle as made
from server.oracle.live import LiveFeed
from spaces.prediction import Prediction
from spaces.prediction.state import State
from spaces.seed import Streams
from spaces.space import Inquiry, Observation

MINUTE = 60_000
BEGIN = 1_750_000_020_000 // MINUTE * MINUTE


class Bazaar:
    """An exchange with one symbol, at `now` minutes after BEGIN: the step of this minute still goes on.
    Step n opens at n, rises 2, falls 1 and closes at n + 0.5."""

    id = "bazaar"

    def __init__(self, now: int) -> None:
        self.now = now
        self.quiet: set[int] = set()
        """Minutes in which nobody trades."""
        self.asked: list[tuple[Any, ...]] = []
        self.closed = False

    async def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int | None = None, limit: int | None = None
    ) -> list[list[Any]]:
        self.asked.append((symbol, timeframe, since, limit))
        if symbol != "TEA/USD":
            raise LookupError(f"bazaar does not have market symbol {symbol}")
        minutes = [n for n in range(self.now + 1) if n not in self.quiet]
        rows = [[BEGIN + n * MINUTE, float(n), n + 2.0, n - 1, n + 0.5, 7.0] for n in minutes]
        if since is None:
            return rows[-(limit or 100) :]
        return [row for row in rows if row[0] >= since][: limit or 100]

    async def close(self) -> None:
        self.closed = True


def question(**more: Any) -> dict[str, Any]:
    ask = {"feed": "live", "series": "TEA/USD", "draw": "1", "history": 10, "horizon": 3}
    return ask | {"step_s": 60} | more


async def told(bazaar: Any, kind: str, ask: dict[str, Any]) -> Observation:
    return await Oracle({"live": feed(bazaar)}).answer(None, Inquiry(kind, ask, 1_000))


def feed(bazaar: Bazaar) -> LiveFeed:
    """Over a clock that agrees with the exchange."""
    return LiveFeed(bazaar, lambda: BEGIN + bazaar.now * MINUTE + 1_000)


async def test_a_question_shows_closed_steps_only() -> None:
    asked = await told(Bazaar(100), "question", question())
    assert asked.value["history"] == [f"{n}.5" for n in range(90, 100)]
    assert asked.value["after_ms"] == BEGIN + 100 * MINUTE
    assert "commit" not in asked.value
    assert asked.source == (
        "bazaar TEA/USD, 1m candle that began at 2025-06-15T16:46:00Z, by ccxt fetch_ohlcv"
    )


async def test_the_resolution_is_the_step_at_the_horizon_once_it_is_over() -> None:
    ask = question(after_ms=BEGIN + 100 * MINUTE)
    for now in (99, 100, 102):
        with pytest.raises(OracleFault, match="16:49:00Z is not over yet"):
            await told(Bazaar(now), "resolution", ask)
    for now in (103, 104, 140):
        resolved = await told(Bazaar(now), "resolution", ask)
        assert resolved.value == {
            "value": "102.5",
            "at": "2025-06-15T16:50:00Z",
            "series": "bazaar TEA/USD",
        }


async def test_a_step_without_a_trade_closes_where_the_last_one_did() -> None:
    bazaar = Bazaar(110)
    bazaar.quiet = {101, 102}
    resolved = await told(bazaar, "resolution", question(after_ms=BEGIN + 100 * MINUTE))
    assert resolved.value["value"] == "100.5"
    candles = {"feed": "live", "series": "TEA/USD", "draw": "1", "history": 5, "candles": 10}
    ask = candles | {"after_ms": BEGIN + 100 * MINUTE, "index": 2}
    flat = await told(bazaar, "candle", ask)
    assert flat.value == dict.fromkeys(("open", "high", "low", "close"), "100.5")
    bazaar.quiet = set(range(40, 110))
    with pytest.raises(OracleFault, match="nobody traded TEA/USD"):
        await told(bazaar, "candle", ask)


async def test_candles_go_on_where_the_history_ended() -> None:
    bazaar = Bazaar(100)
    ask = {"feed": "live", "series": "TEA/USD", "draw": "1", "history": 5, "candles": 10}
    history = (await told(bazaar, "history", ask)).value
    assert history["candles"][-1] == ["99", "101", "98", "99.5"]
    ask["after_ms"] = history["after_ms"]
    with pytest.raises(OracleFault, match="not over yet"):
        await told(bazaar, "candle", ask | {"index": 0})
    bazaar.now = 101
    first = (await told(bazaar, "candle", ask | {"index": 0})).value
    assert first == {"open": "100", "high": "102", "low": "99", "close": "100.5"}
    unmasked = (await told(bazaar, "unmask", ask)).value
    assert unmasked["series"] == "bazaar TEA/USD"
    assert unmasked["first"] == "2025-06-15T16:47:00Z"


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (
            question(series="GOLD/USD"),
            "bazaar: LookupError bazaar does not have market symbol GOLD",
        ),
        (question(step_s=90), "no step of 90 s; there are 60, 300"),
        (question(history=500), "bazaar has 100 steps of TEA/USD, not 500"),
    ],
)
async def test_what_the_exchange_cannot_do_is_said(ask: dict[str, Any], named: str) -> None:
    with pytest.raises(OracleFault, match=named):
        await told(Bazaar(100), "question", ask)


async def test_a_later_ask_needs_the_time_of_the_first() -> None:
    with pytest.raises(OracleFault, match="after_ms"):
        await told(Bazaar(100), "resolution", question())


@pytest.mark.parametrize(
    "row",
    [
        [],
        [BEGIN, 1, 2],
        [BEGIN, 1, 2, None, 1],
        [BEGIN, 1, 2, float("nan"), 1],
        [BEGIN, 1, 2, "1\x1b[2J", 1],
        ["now", 1, 2, 1, 1],
        [-1, 1, 2, 1, 1],
        [10**18, 1, 2, 1, 1],
    ],
)
async def test_what_is_no_candle_is_refused(row: list[Any]) -> None:
    class Liar(Bazaar):
        async def fetch_ohlcv(self, *_: Any, **__: Any) -> list[list[Any]]:
            return [row] * 20

    with pytest.raises(OracleFault, match="not a candle"):
        await told(Liar(100), "question", question())


async def test_an_exchange_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sleeper(Bazaar):
        async def fetch_ohlcv(self, *_: Any, **__: Any) -> list[list[Any]]:
            await asyncio.sleep(3_600)
            return []

    monkeypatch.setattr("server.oracle.live.REQUEST_TIMEOUT_S", 0.01)
    with pytest.raises(OracleFault, match="bazaar did not answer"):
        await told(Sleeper(100), "question", question())


async def test_a_session_over_the_live_feed_ends_in_scores() -> None:
    bazaar, space, streams = Bazaar(200), Prediction(), Streams(bytes(32))
    params = {"feed": "live", "series": "TEA/USD", "questions": 1, "history": 10}
    state: State = space.initial(space.params(params), streams)
    asked = space.inquiry(state)
    assert asked is not None
    state = space.learn(state, await told(bazaar, asked.kind, asked.ask), streams)
    for seat in range(5):
        action = space.parse("quantiles", "quantiles: 201 202 202.5 203 204")
        state = space.apply(state, seat, action, streams)
    awaited = space.inquiry(state)
    assert awaited is not None
    bazaar.now += awaited.delay_ms // MINUTE
    state = space.learn(state, await told(bazaar, awaited.kind, awaited.ask), streams)
    assert state.rounds[0].resolved is not None
    assert state.rounds[0].resolved.value == "202.5"
    outcome = space.outcome(state)
    assert outcome is not None
    assert outcome.returns is not None
    assert max(outcome.returns) < 0


@pytest.mark.parametrize(
    ("kind", "ask"),
    [
        ("question", question()),
        ("history", {"feed": "live", "series": "TEA/USD", "draw": "1", "history": 5}),
    ],
)
async def test_last_values_that_are_not_of_now_are_refused(kind: str, ask: dict[str, Any]) -> None:
    bazaar, inquiry = Bazaar(100), Inquiry(kind, ask, 1_000)
    for seconds, fresh in ((0, True), (60, True), (61, False), (7_200, False), (-61, False)):
        live = LiveFeed(bazaar, partial(add, BEGIN + 100 * MINUTE, seconds * 1_000))
        if fresh:
            await Oracle({"live": live}).answer(None, inquiry)
        else:
            with pytest.raises(OracleFault, match="ended at 2025-06-15T16:47:00Z, and it is"):
                await Oracle({"live": live}).answer(None, inquiry)


async def test_all_who_watch_a_symbol_share_one_request() -> None:
    bazaar, now = Bazaar(130), BEGIN + 130 * MINUTE
    one = Oracle({"live": LiveFeed(bazaar, lambda: now)})
    asks = [("question", question(history=10 + n)) for n in range(40)]
    asks += [("resolution", question(after_ms=BEGIN + (90 + n) * MINUTE)) for n in range(30)]
    await asyncio.gather(*[one.answer(None, Inquiry(kind, ask, 1_000)) for kind, ask in asks])
    assert len(bazaar.asked) == 1
    now += 999
    await one.answer(None, Inquiry("question", question(), 1_000))
    assert len(bazaar.asked) == 1, "rows serve for a second"
    now += 1
    await one.answer(None, Inquiry("question", question(), 1_000))
    assert len(bazaar.asked) == 2


async def test_who_gives_up_takes_the_rows_from_nobody() -> None:
    class Slow(Bazaar):
        async def fetch_ohlcv(self, *args: Any, **more: Any) -> list[list[Any]]:
            await asyncio.sleep(0.05)
            return await super().fetch_ohlcv(*args, **more)

    one = Oracle({"live": feed(slow := Slow(100))})
    first = asyncio.create_task(one.answer(None, Inquiry("question", question(), 1_000)))
    second = asyncio.create_task(one.answer(None, Inquiry("question", question(), 1_000)))
    await asyncio.sleep(0.01)
    first.cancel()
    assert (await second).value["after_ms"] == BEGIN + 100 * MINUTE
    assert len(slow.asked) == 1
    assert first.cancelled()


async def test_a_failure_is_shared_for_a_second_and_then_asked_again() -> None:
    now, bazaar = BEGIN + 100 * MINUTE, Bazaar(100)
    one = Oracle({"live": LiveFeed(bazaar, lambda: now)})
    gold = Inquiry("question", question(series="GOLD/USD"), 1_000)
    for _ in range(5):
        with pytest.raises(OracleFault, match="LookupError"):
            await one.answer(None, gold)
    assert len(bazaar.asked) == 1
    now += 1_000
    with pytest.raises(OracleFault, match="LookupError"):
        await one.answer(None, gold)
    assert len(bazaar.asked) == 2


async def test_what_is_long_over_is_asked_for_by_its_time() -> None:
    bazaar = Bazaar(500)
    resolved = await told(bazaar, "resolution", question(after_ms=BEGIN + 100 * MINUTE))
    assert resolved.value["value"] == "102.5"
    assert [asked[2] for asked in bazaar.asked] == [None, BEGIN + 52 * MINUTE]


async def test_closing_lets_go_of_the_exchange() -> None:
    bazaar = Bazaar(1)
    await Oracle({"live": LiveFeed(bazaar)}).close()
    assert bazaar.closed


def test_an_exchange_needs_ccxt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ccxt.async_support", None)
    with pytest.raises(ConfigError, match=r"oracle_exchange: .*install agon-arena\[ccxt\]"):
        made("", (), "kraken")
