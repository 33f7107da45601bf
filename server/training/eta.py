"""How long the rest of the steps takes, and which points of a curve are kept. Pure."""

from __future__ import annotations

from collections.abc import Sequence

POINTS = 200
"""Of a loss curve, at most."""


def eta_s(step: int, steps: int, device_ms: int) -> int | None:
    """Seconds until the last step at the speed so far; None before the first step."""
    if step <= 0 or steps <= 0:
        return None
    return -(-max(0, steps - step) * device_ms // (step * 1_000))


def thinned(points: Sequence[tuple[int, int]], most: int = POINTS) -> list[tuple[int, int]]:
    """At most `most` of them, spread evenly; the first and the last stay."""
    if len(points) <= most:
        return list(points)
    return [points[i * (len(points) - 1) // (most - 1)] for i in range(most)]
