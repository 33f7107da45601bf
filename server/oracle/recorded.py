"""The feed of recorded series: windows of what is over, played as if it were not.

An agent that has the same recording could look the rest of a window up, and no secrecy of names
prevents that: `docs/feeds.md` says which feed to take where something is at stake. What is prevented is
a window chosen after the forecasts: `spaces.prediction.observations`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from server.oracle.asks import CandleAsk, CandlesAsk, QuestionAsk, ResolutionAsk, UnmaskAsk
from server.oracle.feed import OracleFault
from server.oracle.series import Series
from server.oracle.tables import BadSeries
from server.oracle.windows import Candles, candle_window, matching, question_window
from spaces.prediction.observations import commitment
from spaces.space import Observation


class RecordedFeed:
    """Replays what `load` reads, once, off the event loop; `load` raises BadSeries."""

    def __init__(self, load: Callable[[], Sequence[Series]]) -> None:
        self._load = load
        self._loading: asyncio.Task[Sequence[Series]] | None = None

    async def series(self) -> Sequence[Series]:
        """Raises OracleFault; then the next call reads again, since a file can be mended."""
        if self._loading is None:
            self._loading = asyncio.create_task(asyncio.to_thread(self._load))
        try:
            # Shielded: a host gives each try a few seconds, and a large file may take more.
            return await asyncio.shield(self._loading)
        except BadSeries as error:
            self._loading = None
            raise OracleFault(str(error)) from None

    async def question(self, ask: QuestionAsk) -> Observation:
        series, index = await self._window(ask)
        value: dict[str, Any] = {
            "history": list(series.values[index - ask.history + 1 : index + 1]),
            "horizon": ask.horizon,
            "commit": _commitment(series, index, ask.draw),
        }
        if series.unit:
            value["unit"] = series.unit
        if series.step:
            value["step"] = series.step
        return Observation(_sealed(series, index, ask.draw), value)

    async def resolution(self, ask: ResolutionAsk) -> Observation:
        series, index = await self._window(ask)
        resolved = index + ask.horizon
        value = {
            "value": series.values[resolved],
            "at": series.times[resolved],
            "series": series.name,
            "file": series.file,
            "row": series.rows[index],
        }
        return Observation(_opened(series, resolved), value)

    async def history(self, ask: CandlesAsk) -> Observation:
        candles, first = await self._candles(ask)
        shown = [list(candles[index]) for index in range(first - ask.history, first)]
        sealed = _sealed(candles.series, candles.row(first - 1), ask.draw)
        return Observation(sealed, {"candles": shown})

    async def candle(self, ask: CandleAsk) -> Observation:
        if ask.index >= ask.candles:
            raise OracleFault(f"candle {ask.index} of {ask.candles} was never meant to be played")
        candles, first = await self._candles(ask)
        names = ("open", "high", "low", "close")
        value = dict(zip(names, candles[first + ask.index], strict=True))
        return Observation(_sealed(candles.series, candles.row(first - 1), ask.draw), value)

    async def unmask(self, ask: UnmaskAsk) -> Observation:
        """`first` and `last` are when the first and the last played candle close. Mirrored prices are told
        with the pivot, so that each can be computed from the file."""
        candles, first = await self._candles(ask)
        series, last = candles.series, first + ask.candles - 1
        mirrored = candles.pivot is not None
        value = {
            "series": f"{series.name}, mirrored" if mirrored else series.name,
            "first": series.times[candles.row(first)],
            "last": series.times[candles.row(last)],
        }
        source = _opened(series, candles.row(first - 1))
        if mirrored:
            pivot = candles.pivot
            source += f"; mirrored, a price p of the file is shown as {pivot} * {pivot} / p"
        return Observation(source, value)

    async def close(self) -> None:
        if self._loading is not None:
            self._loading.cancel()

    async def _window(self, ask: QuestionAsk) -> tuple[Series, int]:
        series = matching(await self.series(), ask.series)
        return question_window(series, int(ask.draw), ask.history, ask.horizon, ask.used)

    async def _candles(self, ask: CandlesAsk) -> tuple[Candles, int]:
        series = matching(await self.series(), ask.series)
        return candle_window(series, int(ask.draw), ask.history, ask.candles)


def _commitment(series: Series, index: int, draw: str) -> str:
    return commitment(draw, series.file, series.name, series.rows[index])


def _sealed(series: Series, index: int, draw: str) -> str:
    """A source that tells nothing until its salt, the draw, is known."""
    return f"recorded series, commitment sha256:{_commitment(series, index, draw)}"


def _opened(series: Series, index: int) -> str:
    return f"{series.source}, sha256:{series.file}, {series.name}, row {series.rows[index]}"
