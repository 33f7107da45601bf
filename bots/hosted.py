"""A brain as a bot, and the description of an agent that is played by our runner."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import msgspec

from bots.bot import Bot
from bots.brains import Brain
from bots.turn import Answer, Turn


class BrainBot(Bot):
    """Plays what a brain chooses."""

    def __init__(self, brain: Brain, pace_s: float = 0.0) -> None:
        """`pace_s`: a decision takes at least this long, as far as the deadline allows."""
        self._brain = brain
        self._pace_s = pace_s

    async def act(self, turn: Turn) -> Answer:
        pace = asyncio.create_task(asyncio.sleep(min(self._pace_s, turn.time_left_s / 2)))
        try:
            answer = await self._brain.act(turn)
            await pace
        finally:
            pace.cancel()
        return answer

    async def close(self) -> None:
        close: Any = getattr(self._brain, "close", None)
        if close is not None:
            closing: Awaitable[None] = close()
            await closing


class HostedAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that lives at the arena. `settings` are the brain's (`bots.brains`)."""

    name: str
    space: str
    brain: str
    settings: dict[str, Any] = {}
    key: str | None = None
    """None: the keys file's, else the agent is registered."""
    sessions: int | None = None
    """None: without end."""
    tier_micros: int = 0
    max_parallel: int = 1
    enqueue: bool = True
    """False: it plays only what it is seated in, e.g. by a tournament."""
    pace_s: float = 0.0
    """A decision takes at least this long, so that people can follow."""
    rest_s: float = 0.0
    """Pause between sessions, which leaves machine and opponents to others."""
