"""The sessions of one case: each is played once, and all checks share it.

A Space may be slow by nature (a game of another project behind a bridge), so nothing here is played
twice: what a check needs beyond a session it derives from the states that the session went through.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from spaces.seed import Streams
from tests.conformance.rig import AnySpace, Dice, Session, play, seed_of

SEEDS = 200
"""Sessions of a Space's default case that end, with dice by their number."""
VARIANT_SEEDS = 60
"""The same of a case with parameters of its own."""
VOIDS = 20
"""Sessions that are voided somewhere, of each case."""
SAMPLED = 50
"""Sessions whose states are looked at one by one."""

_DICE = (Dice(), Dice(), Dice(fault=0.3), Dice(forfeit=0.02), Dice(fault=0.3, forfeit=0.2))

Place = tuple[Any, Streams, random.Random]
"""A state, the chance of its session, and some chance for the test."""


class Plays:
    """What was played of a Space with some parameters."""

    def __init__(self, space: AnySpace, params: dict[str, Any]) -> None:
        self.space = space
        self.params = params
        self.seeds = VARIANT_SEEDS if params else SEEDS
        self.session = cache(self._play)

    def __iter__(self) -> Iterator[Session]:
        """The sessions that ended."""
        return (self.session(number) for number in range(self.seeds))

    def _play(self, number: int) -> Session:
        return play(self.space, self.params, number, _DICE[number % len(_DICE)])

    def voids(self) -> Iterator[Session]:
        return (
            play(self.space, self.params, number, Dice(0.2, 0.1, void=0.05))
            for number in range(VOIDS)
        )

    def states(self, count: int) -> Iterator[Place]:
        """At most so many of the states that the sampled sessions went through, drawn from all."""
        return self._drawn(count, lambda state: True)

    def positions(self, count: int) -> Iterator[Place]:
        """States in which a decision is open."""
        return self._drawn(count, lambda state: bool(self.space.decisions(state)))

    def inquiries(self, count: int) -> Iterator[Place]:
        """States in which the oracle is asked."""
        return self._drawn(count, lambda state: self.space.inquiry(state) is not None)

    def _drawn(self, count: int, wanted: Callable[[Any], bool]) -> Iterator[Place]:
        rng = random.Random(0)
        places = [(n, i) for n in range(SAMPLED) for i in range(len(self.session(n).states))]
        rng.shuffle(places)
        for number, i in places[: LOOKED_AT * count]:
            state = self.session(number).states[i]
            if count and wanted(state):
                count -= 1
                yield state, Streams(seed_of(number)), rng


LOOKED_AT = 6
"""Times as many states as are wanted: in a long session few may be of the kind."""
