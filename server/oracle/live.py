"""The feed of an exchange, through ccxt (the extra `ccxt`): questions that nobody can look up.

Only closed steps count. A step is known to be closed when the exchange tells of a later one, so
nothing here depends on our clock or on how late the exchange is. A step in which nobody traded is
left out by many exchanges; its close is then the last one before it. Our clock says one thing alone:
whether the last values are of now. Where a market stands still they are not, and whoever asks then
could be asked for what is over.

However many sessions watch a symbol, it is asked for once: they share the request that is under way,
and its rows for CACHE_MS.
"""

from __future__ import annotations

import asyncio
import importlib
from datetime import UTC, datetime
from typing import Any, Protocol

from server.clock import Clock, unix_ms
from server.oracle.asks import CandleAsk, CandlesAsk, QuestionAsk, ResolutionAsk, UnmaskAsk
from server.oracle.feed import OracleFault
from spaces.decimals import number
from spaces.space import Observation

REQUEST_TIMEOUT_S = 8
LOOK_BACK = 50
"""Steps before the one that is asked for in which a trade is looked for. Twice as many are asked for at
once, which every exchange gives."""
SPARE = 10
TAIL = 2 * LOOK_BACK
"""The latest steps that are asked for at least, so that all who watch a symbol ask for the same."""
CACHE_MS = 1_000
"""Rows, or that there were none, serve for so long whoever asks for the same."""
FRESH_STEPS = 1
"""Steps since the last closed one ended, at most, for a question or a history. The rules count on it:
`spaces.prediction.params` and `spaces.trade_wars.state.Params.gap`."""

MAX_MS = 4_102_444_800_000
"""The year 2100: an exchange whose clock is beyond has a fault."""

TIMEFRAMES = {
    60: "1m",
    300: "5m",
    900: "15m",
    1_800: "30m",
    3_600: "1h",
    14_400: "4h",
    86_400: "1d",
}
"""ccxt's names of steps, by seconds; not every exchange has all."""


class Exchange(Protocol):
    """What of an exchange of `ccxt.async_support` is used."""

    id: str

    async def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int | None = None, limit: int | None = None
    ) -> list[list[Any]]:
        """[[milliseconds, open, high, low, close, volume], …], oldest first; the last step may still be
        going on. `since` is the first step's beginning."""

    async def close(self) -> None: ...


class ExchangeFailed(OracleFault):
    """The exchange did not answer, or not with steps."""


Step = tuple[int, str, str, str, str]
"""When it began (unix milliseconds), open, high, low, close."""


_Wanted = tuple[str, int, int | None, int]
"""Symbol, seconds of a step, since, limit."""


def connect(name: str) -> Exchange:
    """The exchange that ccxt calls `name`. Raises OracleFault."""
    try:
        ccxt: Any = importlib.import_module("ccxt.async_support")
    except ImportError:
        raise OracleFault("live feeds need ccxt: install agon-arena[ccxt]") from None
    if name not in ccxt.exchanges:
        raise OracleFault(f"ccxt knows no exchange {name!r}; see ccxt.exchanges")
    made: Exchange = getattr(ccxt, name)(
        {"enableRateLimit": True, "timeout": REQUEST_TIMEOUT_S * 1_000}
    )
    return made


class LiveFeed:
    """One exchange; `series` is its symbol, e.g. `BTC/USDT`."""

    def __init__(self, exchange: Exchange, clock: Clock = unix_ms) -> None:
        self._exchange = exchange
        self._clock = clock
        self._requests: dict[_Wanted, asyncio.Task[list[Step]]] = {}
        """Under way, or over for less than CACHE_MS."""
        self._over_ms: dict[_Wanted, int] = {}
        """When those ended that are over."""

    async def question(self, ask: QuestionAsk) -> Observation:
        steps = await self._closed(ask.series, ask.step_s, ask.history)
        value = {
            "history": [step[4] for step in steps],
            "horizon": ask.horizon,
            "after_ms": _next(steps, ask.step_s),
            "step": _step_name(ask.step_s),
        }
        return Observation(self._source(ask, steps[-1][0]), value)

    async def resolution(self, ask: ResolutionAsk) -> Observation:
        after_ms = _after(ask.after_ms)
        due_ms = after_ms + (ask.horizon - 1) * ask.step_s * 1_000
        step = await self._step(ask.series, ask.step_s, due_ms)
        value = {
            "value": step[4],
            "at": _iso(due_ms + ask.step_s * 1_000),
            "series": self._name(ask),
        }
        return Observation(self._source(ask, due_ms), value)

    async def history(self, ask: CandlesAsk) -> Observation:
        """Besides the candles `after_ms`, which the later asks must hold."""
        steps = await self._closed(ask.series, ask.step_s, ask.history)
        value = {
            "candles": [list(step[1:]) for step in steps],
            "after_ms": _next(steps, ask.step_s),
        }
        return Observation(self._source(ask, steps[-1][0]), value)

    async def candle(self, ask: CandleAsk) -> Observation:
        after_ms = _after(ask.after_ms)
        due_ms = after_ms + ask.index * ask.step_s * 1_000
        step = await self._step(ask.series, ask.step_s, due_ms)
        _, first, high, low, last = step if step[0] == due_ms else (due_ms, *(step[4],) * 4)
        value = {"open": first, "high": high, "low": low, "close": last}
        return Observation(self._source(ask, due_ms), value)

    async def unmask(self, ask: UnmaskAsk) -> Observation:
        first_ms = _after(ask.after_ms)
        last_ms = first_ms + (ask.candles - 1) * ask.step_s * 1_000
        value = {"series": self._name(ask), "first": _iso(first_ms), "last": _iso(last_ms)}
        return Observation(self._source(ask, last_ms), value)

    async def close(self) -> None:
        for request in self._requests.values():
            request.cancel()
        await self._exchange.close()

    def _name(self, ask: QuestionAsk | CandlesAsk) -> str:
        return f"{self._exchange.id} {ask.series}"

    def _source(self, ask: QuestionAsk | CandlesAsk, began_ms: int) -> str:
        step = TIMEFRAMES[ask.step_s]
        return (
            f"{self._name(ask)}, {step} candle that began at {_iso(began_ms)}, by ccxt fetch_ohlcv"
        )

    async def _step(self, symbol: str, step_s: int, due_ms: int) -> Step:
        """The step that began at `due_ms`, or the last one before it in which somebody traded."""
        since_ms = due_ms - LOOK_BACK * step_s * 1_000
        steps = await self._rows(symbol, step_s, None, TAIL)
        if steps and steps[0][0] > due_ms:  # a host that comes late, or many steps since
            steps = await self._rows(symbol, step_s, since_ms, TAIL)
        if not steps or steps[-1][0] <= due_ms:
            raise OracleFault(f"the step that began at {_iso(due_ms)} is not over yet")
        past = [step for step in steps if since_ms <= step[0] <= due_ms]
        if not past:
            raise OracleFault(f"nobody traded {symbol} near {_iso(due_ms)}")
        return past[-1]

    async def _closed(self, symbol: str, step_s: int, many: int) -> list[Step]:
        """The last `many` closed steps, of now."""
        # Some exchanges count a step without a trade towards the limit and leave it out: ask for more.
        rows = await self._rows(symbol, step_s, None, max(TAIL, many + 1 + SPARE))
        steps = rows[:-1][-many:]
        if len(steps) < many:
            raise OracleFault(f"{self._exchange.id} has {len(steps)} steps of {symbol}, not {many}")
        ended_ms, now_ms = _next(steps, step_s), self._clock()
        if abs(now_ms - ended_ms) > FRESH_STEPS * step_s * 1_000:
            raise OracleFault(
                f"the last closed step of {symbol} ended at {_iso(ended_ms)}, and it is "
                f"{_iso(now_ms)}: nobody trades, or a clock is wrong"
            )
        return steps

    async def _rows(self, symbol: str, step_s: int, since_ms: int | None, limit: int) -> list[Step]:
        wanted, now_ms = (symbol, step_s, since_ms, limit), self._clock()
        for old, over_ms in list(self._over_ms.items()):
            if not 0 <= now_ms - over_ms < CACHE_MS:  # a clock that was put back ends it, too
                del self._over_ms[old], self._requests[old]
        request = self._requests.get(wanted)
        if request is None:
            request = asyncio.create_task(self._fetched(*wanted), name="exchange request")
            request.add_done_callback(lambda done: self._note(wanted, done))
            self._requests[wanted] = request
        # Shielded: who gives up takes the rows from nobody else.
        return await asyncio.shield(request)

    def _note(self, wanted: _Wanted, request: asyncio.Task[list[Step]]) -> None:
        self._over_ms[wanted] = self._clock()
        if not request.cancelled():
            request.exception()  # seen, should nobody wait any more

    async def _fetched(
        self, symbol: str, step_s: int, since_ms: int | None, limit: int
    ) -> list[Step]:
        timeframe = TIMEFRAMES.get(step_s)
        if timeframe is None:
            raise OracleFault(f"no step of {step_s} s; there are {', '.join(map(str, TIMEFRAMES))}")
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                rows = await self._exchange.fetch_ohlcv(symbol, timeframe, since_ms, limit)
        except TimeoutError:
            raise ExchangeFailed(
                f"{self._exchange.id} did not answer in {REQUEST_TIMEOUT_S} s"
            ) from None
        except Exception as error:  # ccxt's own errors share no base that can be named without it
            what = " ".join(str(error).split())[:120]
            raise ExchangeFailed(f"{self._exchange.id}: {type(error).__name__} {what}") from None
        return sorted(_step(row) for row in rows)


def _step(row: list[Any]) -> Step:
    """Raises ExchangeFailed for what is no step: a hole, a word, a price that is none."""
    try:
        began_ms, *prices = row[:5]
        first, high, low, last = (number(repr(price)) for price in prices)
    except (TypeError, ValueError):
        raise ExchangeFailed(f"not a candle: {str(row)[:80]}") from None
    if (
        not isinstance(began_ms, int)
        or not 0 <= began_ms < MAX_MS
        or None in (first, high, low, last)
    ):
        raise ExchangeFailed(f"not a candle: {str(row)[:80]}")
    return began_ms, str(first), str(high), str(low), str(last)


def _next(steps: list[Step], step_s: int) -> int:
    """When the step after these begins."""
    return steps[-1][0] + step_s * 1_000


def _after(after_ms: int | None) -> int:
    if after_ms is None:
        raise OracleFault("a live feed is asked with the after_ms that its history told")
    return after_ms


def _step_name(step_s: int) -> str:
    return {60: "minute", 3_600: "hour", 86_400: "day"}.get(step_s, f"{step_s // 60} minutes")


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
