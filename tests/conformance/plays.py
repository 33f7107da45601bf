"""The sessions of one case: each is played once, and all checks share it.

A Space may be slow by nature (a game of another project behind a bridge), so nothing here is played
twice: what a check needs beyond a session it derives from the states that the session went through.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from typing import Any

from spaces.seed import Streams
from tests.conformance.rig import AnySpace, Dice, Session, play, seed_of

SEEDS = 200
"""Sessions of each case that end, dice by their number; and VOIDS that do not."""
VOIDS = 40

_DICE = (Dice(), Dice(), Dice(fault=0.3), Dice(forfeit=0.02), Dice(fault=0.3, forfeit=0.2))


class Plays:
    """What was played of a Space with some parameters."""

    def __init__(self, space: AnySpace, params: dict[str, Any]) -> None:
        self.space = space
        self.params = params
        self.session = cache(self._play)

    def __iter__(self) -> Iterator[Session]:
        """The sessions that ended, SEEDS of them."""
        return (self.session(number) for number in range(SEEDS))

    def _play(self, number: int) -> Session:
        return play(self.space, self.params, number, _DICE[number % len(_DICE)])

    def voids(self) -> Iterator[Session]:
        return (
            play(self.space, self.params, number, Dice(0.2, 0.1, void=0.05))
            for number in range(VOIDS)
        )

    def states(self, sessions: int) -> Iterator[tuple[Any, Streams, random.Random]]:
        """Every state of the first sessions, with the session's chance and some of the test's own."""
        for number in range(sessions):
            rng, streams = random.Random(number), Streams(seed_of(number))
            for state in self.session(number).states:
                yield state, streams, rng

    def positions(self, sessions: int) -> Iterator[tuple[Any, Streams, random.Random]]:
        """Those of the states in which a decision is open."""
        for state, streams, rng in self.states(sessions):
            if self.space.decisions(state):
                yield state, streams, rng

    def inquiries(self, sessions: int) -> Iterator[tuple[Any, Streams, random.Random]]:
        """Those of the states in which the oracle is asked."""
        for state, streams, rng in self.states(sessions):
            if self.space.inquiry(state) is not None:
                yield state, streams, rng
