"""Which question is on the screen, and how its numbers are written."""

from __future__ import annotations

from tui_client.state import State
from tui_client.widgets.prediction.observed import Asked, Prediction

RESULT_MS = 8_000
"""How long a question that has come out stays in sight although the next one is asked."""


def shown(state: State, seen: Prediction) -> int | None:
    """Index of the question that is painted: the last one, or as many earlier as is scrolled back."""
    last = len(seen.asked) - 1
    if last < 0:
        return None
    since = state.spectated.resolved_ms if state.spectated else None
    fresh = since is not None and state.now_ms - since < RESULT_MS
    if fresh and last > 0 and seen.asked[last].resolution is None:
        last -= 1
    return max(0, last - state.scroll)


def median_at(seen: Prediction) -> int:
    """Index of the level next to 50 %."""
    return min(range(len(seen.levels)), key=lambda at: abs(seen.levels[at] - 50), default=0)


def inner_at(count: int) -> tuple[int, int]:
    """Indices of the quantiles around the middle half of `count`."""
    edge = count // 4
    return edge, count - 1 - edge


def happened(one: Asked) -> bool | None:
    """Whether the value came out above the threshold; None while nobody knows."""
    if one.resolution is None or one.threshold is None:
        return None
    return float(one.resolution.value) > float(one.threshold)


def points(micros: int) -> str:
    """A score: three places."""
    milli = (abs(micros) + 500) // 1_000
    return f"{'-' if micros < 0 else ''}{milli // 1_000}.{milli % 1_000:03}"
