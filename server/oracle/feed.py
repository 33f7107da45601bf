"""What a feed is, and how it says that it cannot answer.

Answers are data for a transcript: decimals are strings (`spaces.decimals`), words are plain. A feed is
stateless as far as one can see: the same ask gets the same answer from any host that has the same
feed, so a session that moves to another host asks again and nothing is lost. A live feed's question
(`the last values`) is the exception; what follows it names its time.
"""

from __future__ import annotations

from typing import Protocol

from server.oracle.asks import CandleAsk, CandlesAsk, QuestionAsk, ResolutionAsk, UnmaskAsk
from spaces.space import Observation


class OracleFault(Exception):
    """The oracle cannot answer (yet). Our fault, never the seats'; the host asks again until the
    inquiry's limit, then the session is void. `reason` says what was missing and what helps."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Feed(Protocol):
    """Every method raises OracleFault and is cancelling safe."""

    async def question(self, ask: QuestionAsk) -> Observation:
        """{"history", "horizon", "unit"?, "step"?, "commit" | "after_ms"}: the last values, nothing of
        what follows; `spaces.prediction.observations.Asked`."""

    async def resolution(self, ask: ResolutionAsk) -> Observation:
        """{"value", "at", "series", "file"?, "row"?}: what a question's value turned out to be."""

    async def history(self, ask: CandlesAsk) -> Observation:
        """{"candles": [[open, high, low, close], …]}, oldest first."""

    async def candle(self, ask: CandleAsk) -> Observation:
        """{"open", "high", "low", "close"}: candle `index` after the history, from 0."""

    async def unmask(self, ask: UnmaskAsk) -> Observation:
        """{"series", "first", "last"}: what the candles were of, and when."""

    async def close(self) -> None:
        """Let go of connections. Harmless when repeated."""
