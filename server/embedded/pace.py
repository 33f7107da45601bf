"""How fast a model writes on this machine, and whether that does for a turn of a rap battle.

The house's rappers have the embedded model write while others wait for it, too. Where one verse takes longer than its
turn, every battle is a row of forfeits: better said before than watched.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, suppress

import msgspec

from bots.brains.llm import RESERVE_S, LlmSettings
from bots.brains.openai import ChatClient, Sampling
from bots.brains.rap import freely
from bots.house import EMBER
from server.embedded.llm import SLOTS
from spaces.rap_battle.space import VERSE_MS

SAMPLE_TOKENS = 64
LIMIT_S = 20.0
"""The measurement takes no longer."""
ANSWER_TOKENS = LlmSettings(url="", model="").max_tokens
"""The longest answer that a turn may have."""
_VIEW = {"topic": "night buses", "bars": 4, "char_limit": 400, "verses": []}


class Pace(msgspec.Struct, frozen=True):
    """What one model, asked alone, took."""

    first_s: float
    """Until its first token: the prompt of a turn is read. All of the time, where none came."""
    tokens: int
    """After the first one."""
    wrote_s: float
    """For those."""

    @property
    def tokens_s(self) -> float:
        """Tokens a second; 0 where there was no second one."""
        return self.tokens / self.wrote_s if self.tokens and self.wrote_s else 0.0

    def turn_s(self, at_once: int = 1) -> float:
        """How long the longest answer takes while as many are written at once; they share the machine."""
        if not self.tokens_s:
            return float("inf")
        return at_once * (self.first_s + ANSWER_TOKENS / self.tokens_s)


TURN_S = VERSE_MS / 1_000 - RESERVE_S
"""What a verse has."""


def too_slow(pace: Pace) -> bool:
    """Whether not even one rapper, alone, would be done in time."""
    return pace.turn_s() > TURN_S


def in_words(pace: Pace) -> str:
    """E.g. `95 tokens/s: the longest verse takes 2.4 s of its 58 s`."""
    if not pace.tokens_s:
        return f"wrote nothing in {pace.first_s:.0f} s"
    told = f"{pace.tokens_s:.3g} tokens/s: the longest verse takes {pace.turn_s():.2g} s of its {TURN_S:.0f} s"
    if not too_slow(pace) and pace.turn_s(SLOTS) > TURN_S:
        told += f", but {SLOTS} written at once would be late"
    return told


async def measure(url: str, model: str) -> Pace:
    """Have the model at `url` (…/v1) write some of a verse, for LIMIT_S at most. Raises ModelError."""
    client = ChatClient(url, model)
    start = time.perf_counter()
    arrivals: list[float] = []
    answer = client.stream(freely(EMBER, _VIEW, 0), Sampling(max_tokens=SAMPLE_TOKENS))
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(LIMIT_S), aclosing(answer):
                async for chunk in answer:
                    if chunk.text:
                        # Each by itself: what came before the time-out counts.
                        arrivals.append(time.perf_counter())  # noqa: PERF401
    finally:
        await client.close()
    if not arrivals:
        return Pace(time.perf_counter() - start, 0, 0.0)
    return Pace(arrivals[0] - start, len(arrivals) - 1, arrivals[-1] - arrivals[0])
