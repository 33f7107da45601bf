"""The brains that need no model, as players of matches in this process: what a learner is measured against."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bots import brains
from bots.answer import text_of
from bots.turn import Turn
from training.play import Ask, Said

SCRIPTED = ("random", "bidder", "solver")
KEPT = 8_192
"""Seats whose brains are kept at once; far more than are played side by side."""


class ScriptedPlayer:
    """Plays every seat of every match by one brain.

    A brain is made for each match and seat and seeded by them, so what it does in one match depends on nothing
    that happens in another.
    """

    system = ""

    def __init__(self, brain: str, settings: Mapping[str, Any] | None = None) -> None:
        """`settings` are the brain's own, e.g. the bidder's `boldness`. Raises ValueError for a brain that there
        is not, or that needs a model."""
        if brain not in SCRIPTED:
            raise ValueError(f"no scripted player {brain!r}; there are {', '.join(SCRIPTED)}")
        self._brain, self._settings = brain, dict(settings or {})
        self._seats: dict[tuple[str, int], brains.Brain] = {}

    def answers(self, asks: Sequence[Ask]) -> list[Said]:
        """Not to be called where an event loop runs. Raises BadSettings where the brain does not play the Space,
        and what the brain raises."""
        return asyncio.run(self._answers(asks))

    async def _answers(self, asks: Sequence[Ask]) -> list[Said]:
        return [Said(text=text_of(await self._of(ask).act(_turn(ask)))) for ask in asks]

    def _of(self, ask: Ask) -> brains.Brain:
        key = (ask.match, ask.seat)
        if key not in self._seats:
            if len(self._seats) >= KEPT:
                self._seats.pop(next(iter(self._seats)))
            settings = {"seed": ask.seed(f"brain/{self._brain}") % 2**31, **self._settings}
            self._seats[key] = brains.make(self._brain, ask.space.id, settings)
        return self._seats[key]


def scripted() -> dict[str, ScriptedPlayer]:
    """One of each, by name."""
    return {name: ScriptedPlayer(name) for name in SCRIPTED}


def _turn(ask: Ask) -> Turn:
    return Turn(
        session=ask.match,
        space=ask.space.id,
        turn=ask.number,
        seat=ask.seat,
        kind=ask.kind,
        view=ask.view,
        prompt=ask.messages[-1].content,
        attempt=ask.attempt,
        fault=ask.fault,
    )
