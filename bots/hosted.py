"""Agents that are played by our runner: the arena's own, and those that owners have made.

The arena's own (`HostedAgent`) play one Space with one brain and queue by themselves. Owners' agents
(`Guest`) are told to the runner by a `Source`: they are queued by others, play whatever they are seated in,
and each session with the version that was seated there (`VersionBot`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import msgspec

from bots.bot import Bot
from bots.brains import Brain
from bots.turn import Answer, Turn

MAX_BRAINS = 32
"""Versions and Spaces of one agent that are kept ready; a rapper's change of mind costs nothing."""


async def paced(brain: Brain, turn: Turn, pace_s: float) -> Answer:
    """What the brain chooses, not sooner than after `pace_s`, as far as the deadline allows."""
    if not pace_s:
        return await brain.act(turn)
    pace = asyncio.create_task(asyncio.sleep(min(pace_s, turn.time_left_s / 2)))
    try:
        answer = await brain.act(turn)
        await pace
    finally:
        pace.cancel()
    return answer


class BrainBot(Bot):
    """Plays what a brain chooses."""

    def __init__(self, brain: Brain, pace_s: float = 0.0) -> None:
        """`pace_s`: a decision takes at least this long, as far as the deadline allows."""
        self._brain = brain
        self._pace_s = pace_s

    async def act(self, turn: Turn) -> Answer:
        return await paced(self._brain, turn, self._pace_s)

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
    agent: str | None = None
    """Its id, where the runner's source gives it keys."""
    key: str | None = None
    """None: the source's, else the keys file's, else the agent is registered."""
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


class Guest(msgspec.Struct, frozen=True):
    """An owner's agent that has something to play, or soon may."""

    agent: str
    name: str


class Part(msgspec.Struct, frozen=True):
    """What plays one version in one Space: a brain and its settings."""

    brain: str
    settings: dict[str, Any] = {}


class Source(Protocol):
    """Where a runner learns whom it is to play. Every method may raise; it is then asked again."""

    async def guests(self) -> Sequence[Guest]:
        """Whom to play now: who is no longer among them is let go after his live sessions. Asked every
        few seconds."""

    async def key(self, agent: str) -> str:
        """A key to play the agent with, good for hours; asked for at the beginning of each stay."""

    def refused(self, agent: str) -> None:
        """The arena does not take the key that was given last: the next one shall be another."""

    async def part(self, version: str, space: str) -> Part:
        """What plays the version, which never changes."""


class VersionBot(Bot):
    """Plays each session with the version that was seated in it, whatever plays by now."""

    def __init__(
        self, source: Source, make: Callable[[Part, str], Brain], pace_s: float = 0.0
    ) -> None:
        """`make` gives the brain of a part for a Space; brains that are not used any more are dropped
        without a word, so they must hold nothing. `pace_s` as for `BrainBot`."""
        self._source = source
        self._make = make
        self._pace_s = pace_s
        self._brains: dict[tuple[str, str], Brain] = {}

    async def act(self, turn: Turn) -> Answer:
        """Raises what the source and the brain raise."""
        brain = await self._brain(turn.seats[turn.seat].version, turn.space)
        return await paced(brain, turn, self._pace_s)

    async def _brain(self, version: str, space: str) -> Brain:
        brain = self._brains.pop((version, space), None)
        if brain is None:
            brain = self._make(await self._source.part(version, space), space)
        self._brains[version, space] = brain  # the newest last
        while len(self._brains) > MAX_BRAINS:
            del self._brains[next(iter(self._brains))]
        return brain
