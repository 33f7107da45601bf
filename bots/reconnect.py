"""When to come back after a connection ended: pure, so that the waits can be tested in no time.

Close codes are read by range (`server.protocol.CloseCode`): from 3500 on the arena does not want us
back, everything else, also a connection that just broke, is tried again.
"""

from __future__ import annotations

import random

from bots.errors import refusal
from server.protocol import CloseCode

FIRST_DELAY_S = 0.25
MAX_DELAY_S = 15.0
SETTLED_S = 30.0
"""A connection that lasted this long was a good one: the next failure starts from FIRST_DELAY_S."""
REFUSED_FROM = 3500


class Reconnect:
    """How long to wait before the next attempt; exponential with full jitter.

    Full jitter (a uniform draw up to the bound) keeps the bots of a gateway that died from coming
    back as one wave (AWS Architecture Blog, "Exponential Backoff And Jitter").
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._failures = 0

    def settled(self, lasted_s: float) -> None:
        """Tell how long the connection that just ended had been welcome."""
        if lasted_s >= SETTLED_S:
            self._failures = 0

    def delay_s(self, code: int | None = None, reason: str = "", wait_ms: int = 0) -> float:
        """Seconds to wait after a close with `code` (None: it broke, or never opened).

        `wait_ms` is `goodbye.reconnect_in_ms`: the arena's wish, which is kept and never undercut.
        Raises ConnectionRefused for a code that says not to come back.
        """
        if code is not None and code >= REFUSED_FROM:
            raise refusal(code, reason)
        bound = min(MAX_DELAY_S, FIRST_DELAY_S * 2 ** min(self._failures, 10))
        self._failures += 1
        jitter = self._rng.uniform(0, bound)
        if code == CloseCode.DRAINING and not wait_ms:
            return min(jitter, FIRST_DELAY_S)
        return wait_ms / 1000 + jitter
