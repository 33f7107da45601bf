"""When to try again. Pure, but for the chance that is passed in."""

from __future__ import annotations

import random

FIRST_MS = 500
MOST_MS = 60_000
LONGEST = 17
"""An attempt so late that its wait is MOST_MS; for what nobody counts."""


def delay_ms(attempt: int, rng: random.Random) -> int:
    """The wait after the `attempt`-th failed attempt, from 1: doubling, between half and all of it.

    The spread keeps what failed together, say in an outage of the model server, from coming back
    together.
    """
    whole = min(MOST_MS, FIRST_MS * 2 ** min(attempt - 1, 16))
    return rng.randint(whole // 2, whole)
