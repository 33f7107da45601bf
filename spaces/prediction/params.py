"""The variants of a prediction session, as data."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from spaces.decimals import Number
from spaces.plain_text import plain_lines

Kind = Literal["quantiles", "probability"]
Score = Literal["crps", "brier", "log"]

MIN_CHANGES = 4
"""Changes over the horizon that a history shows at least; fewer say nothing about the next one."""
RETRY_FACTOR = 2
"""A seat's second attempt may take as long as its first."""


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    feed: Literal["recorded", "live"] = "recorded"
    """`recorded`: windows of series that are over. `live`: an exchange, resolved in real time."""
    series: Annotated[str, Meta(max_length=64)] = ""
    """Which series of the feed: its name or the beginning of names. Empty: any recorded one, drawn
    from the seed. A live feed needs it, e.g. `BTC/USDT`."""
    kind: Kind = "quantiles"
    """`probability`: will the value be above `threshold`?"""
    score: Score | None = None
    """None: `crps` for quantiles, `brier` for a probability."""
    threshold: Number | None = None
    """Of a probability question. None: the last value that is shown. Equal is not above."""
    questions: Annotated[int, Meta(ge=1, le=10)] = 3
    history: Annotated[int, Meta(ge=8, le=120)] = 24
    """Values that are shown."""
    horizon: Annotated[int, Meta(ge=1, le=50)] = 3
    """Steps of the series from the last value shown to the one that is asked for."""
    levels: Annotated[tuple[Annotated[int, Meta(ge=1, le=99)], ...], Meta(max_length=19)] = (
        5, 25, 50, 75, 95,
    )  # fmt: skip
    """Of the quantiles, in per cent, rising."""
    cutoff_s: Annotated[int, Meta(ge=5, le=600)] = 60
    """Seconds from the question to its cut-off."""
    step_s: Annotated[int, Meta(ge=60, le=86_400)] = 60
    """Of a live feed: seconds from one value to the next. A recorded series has steps of its own."""
    resolution_limit_s: Annotated[int, Meta(ge=10, le=86_400)] = 600
    """Seconds after the horizon within which the value must be known; then the session is void."""

    @property
    def rule(self) -> Score:
        return self.score or ("crps" if self.kind == "quantiles" else "brier")

    @property
    def wait_ms(self) -> int:
        """Real time from the cut-off to the resolution; a recorded series is already over."""
        return self.horizon * self.step_s * 1_000 if self.feed == "live" else 0


def fault(params: Params) -> str | None:
    """What is wrong with a combination that the types allow."""
    if (params.rule == "crps") != (params.kind == "quantiles"):
        return f"score {params.rule!r} cannot score {params.kind}"
    if params.threshold is not None and params.kind != "probability":
        return "a threshold is for kind 'probability'"
    if not params.levels or list(params.levels) != sorted(set(params.levels)):
        return f"levels are per cents that rise, got {list(params.levels)}"
    if params.history < params.horizon + MIN_CHANGES:
        return f"history is at least horizon + {MIN_CHANGES} values, got {params.history}"
    if params.series and plain_lines(params.series) != [params.series]:
        return f"series is one line of plain text, got {params.series!r}"
    if params.feed == "live":
        return _live_fault(params)
    return None


def _live_fault(params: Params) -> str | None:
    if not params.series:
        return "a live feed needs a series, e.g. 'BTC/USDT'"
    # The value asked for is known (horizon - 1) steps after the question at the soonest.
    least = 1 + -(-RETRY_FACTOR * params.cutoff_s // params.step_s)
    if params.horizon < least:
        return (
            f"horizon is at least {least} for a cut-off after {params.cutoff_s} s and steps of "
            f"{params.step_s} s, so that nobody can see the value in time; got {params.horizon}"
        )
    return None
