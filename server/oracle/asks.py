"""What feeds are asked, read from an inquiry. Unknown keys are left alone: they are for other feeds."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Draw = Annotated[str, Meta(pattern=r"^[0-9]{1,80}\Z")]
"""A large number from the session's seed, in decimal. It picks the window of a recorded series and
salts the commitment to it."""
Steps = Annotated[int, Meta(ge=1, le=10_000)]
Series = Annotated[str, Meta(max_length=64)]
Milliseconds = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Seconds = Annotated[int, Meta(ge=60, le=86_400)]


class Used(msgspec.Struct, frozen=True):
    """Another question's window of a recorded series."""

    series: str
    row: int
    """Of the last value it shows, as its resolution tells."""


class QuestionAsk(msgspec.Struct, frozen=True):
    draw: Draw
    history: Steps
    """Values that are shown."""
    horizon: Steps
    series: Series = ""
    """A name or how names begin; empty: any."""
    step_s: Seconds = 60
    """Of a live feed."""
    used: Annotated[tuple[Used, ...], Meta(max_length=100)] = ()
    """Of a recorded feed: windows of the same size that this one must not overlap."""


class ResolutionAsk(QuestionAsk, frozen=True):
    after_ms: Milliseconds | None = None
    """Of a live feed: the question's `after_ms`."""


class CandlesAsk(msgspec.Struct, frozen=True):
    draw: Draw
    history: Steps
    """Candles that are shown before the first one that is played."""
    candles: Steps = 50
    """Candles that will be played: the window has room for them."""
    series: Series = ""
    step_s: Seconds = 60


class CandleAsk(CandlesAsk, frozen=True, kw_only=True):
    index: Annotated[int, Meta(ge=0, le=10_000)]
    after_ms: Milliseconds | None = None
    """Of a live feed: the history's `after_ms`."""


class UnmaskAsk(CandlesAsk, frozen=True):
    after_ms: Milliseconds | None = None


def canonical(ask: dict[str, Any]) -> dict[str, Any]:
    """A draw may come as an integer, too."""
    draw = ask.get("draw")
    return ask | {"draw": str(draw)} if isinstance(draw, int) and draw >= 0 else ask
