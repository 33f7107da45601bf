"""A baseline: some legal answer of any Space, by chance; needs nothing but the observation."""

from __future__ import annotations

from random import Random

import msgspec

from bots.turn import Turn
from spaces import registry


class RandomSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seed: int | None = None
    """None: another game every time."""


class RandomBrain:
    """Plays every Space that is offered in this process, by the Space's own `random_answer`."""

    def __init__(self, settings: RandomSettings) -> None:
        self._rng = Random(settings.seed)  # noqa: S311 # play, not secrets

    async def act(self, turn: Turn) -> str:
        """Raises UnknownSpace."""
        space = registry.get_offered(turn.space)
        return space.random_answer(turn.kind, turn.view, turn.seat, self._rng)
