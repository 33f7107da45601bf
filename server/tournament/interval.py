"""How sure a share of games is. Pure."""

from __future__ import annotations

import math

Z_95 = 1.959964
"""The 97.5 % point of the normal distribution."""


def wilson(successes: float, games: int, z: float = Z_95) -> tuple[float, float]:
    """The interval of Wilson (1927) for a proportion; (0, 1) of no games.

    A draw may be counted as half a success: its variance is smaller than a coin's, so the interval is then
    a little too wide, never too narrow.
    """
    if games == 0:
        return 0.0, 1.0
    share = successes / games
    scale = 1 + z * z / games
    centre = (share + z * z / (2 * games)) / scale
    reach = z * math.sqrt(share * (1 - share) / games + z * z / (4 * games * games)) / scale
    return max(0.0, centre - reach), min(1.0, centre + reach)
