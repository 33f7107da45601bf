"""Whether a process can do its work, and whether the arena around it is whole.

The two are told apart. A process that cannot reach its database should be sent no requests (`own`); an
arena that has no host should be mended, and its API is better left in service meanwhile, since it still
answers what it can.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

PROBE_S = 3.0
"""A probe that takes longer has failed."""
FRESH_S = 1.0
"""What was found is told again for this long: whoever asks often probes nothing more often."""

_logger = structlog.get_logger()


class Unready(Exception):
    """What a probe has found wrong, in words that anybody may read: no addresses, no secrets."""


class Check(msgspec.Struct, frozen=True):
    name: str
    own: bool
    """Without it this process is of no use; else something that only another process can mend."""
    probe: Callable[[], Awaitable[None]]
    """Raises Unready, or anything else where what is asked does not answer."""


class Finding(msgspec.Struct, frozen=True):
    name: str
    own: bool
    """This process is of no use without it."""
    ok: bool
    words: str
    """What is wrong; empty when nothing is."""
    took_ms: int


class Readiness:
    """The checks of one process. Probing is shared by all who ask at the same time."""

    def __init__(
        self, checks: Sequence[Check] = (), *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._checks = list(checks)
        self._clock = clock
        self._turn = asyncio.Lock()
        self._found: list[Finding] = []
        self._found_at = float("-inf")

    def add(self, check: Check) -> None:
        """One more thing that this process does, and whether it does it."""
        self._checks.append(check)

    async def look(self) -> list[Finding]:
        """All checks, at once, in their order; at most FRESH_S old. Never raises."""
        async with self._turn:
            if self._clock() - self._found_at >= FRESH_S:
                self._found = list(await asyncio.gather(*map(_find, self._checks)))
                self._found_at = self._clock()
            return self._found


async def _find(check: Check) -> Finding:
    began = time.monotonic()
    words = ""
    try:
        async with asyncio.timeout(PROBE_S):
            await check.probe()
    except Unready as unready:
        words = str(unready)
    except TimeoutError:
        words = f"no answer within {PROBE_S:g} s"
    except Exception as error:  # any: a sick service must be told of, and must not make us sick
        words = "does not answer"
        _logger.warning("probe failed", check=check.name, error=str(error) or repr(error))
    took_ms = int((time.monotonic() - began) * 1_000)
    return Finding(check.name, check.own, not words, words, took_ms)
