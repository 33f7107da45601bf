"""The sessions of one case: each is played once, and all checks share it.

A Space may be slow by nature (a game of another project behind a bridge), so nothing here is played
twice: what a check needs beyond a session it derives from the states that the session went through.
What is open in a state is noted when its session is played, so that a check can draw from all states
of its kind without looking for them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from typing import Any, NamedTuple

from spaces.seed import Streams
from spaces.space import Decision, Space
from tests.conformance.rig import AnySpace, Dice, Session, play

FEW, MANY = 40, 200
"""Sessions of a case that end, in `make test` and in `make test-slow`."""

_DICE = (Dice(), Dice(), Dice(fault=0.3), Dice(forfeit=0.02), Dice(fault=0.3, forfeit=0.2))
_VOID_DICE = tuple(Dice(0.2, 0.1, void) for void in (0.02, 0.2, 0.5))


class Open(NamedTuple):
    """What is open in a state."""

    decisions: tuple[Decision, ...]
    inquiry: bool
    outcome: bool

    @property
    def ways_on(self) -> int:
        return bool(self.decisions) + self.inquiry + self.outcome


def what_is_open(space: AnySpace, state: Any) -> Open:
    asked, ended = space.inquiry(state) is not None, space.outcome(state) is not None
    return Open(space.decisions(state), asked, ended)


class Place(NamedTuple):
    """A state that was played, the chance of its session, and some chance for the test."""

    state: Any
    decisions: tuple[Decision, ...]
    streams: Streams
    rng: random.Random


class Plays:
    """What was played of a Space with some parameters: so many `seeds`, with dice by their number."""

    def __init__(self, space: AnySpace, params: dict[str, Any], seeds: int = MANY) -> None:
        self.space = space
        self.params = params
        self.seeds = seeds
        self.asks = type(space).inquiry is not Space.inquiry
        """Whether the Space says that it needs an oracle."""
        self._played = cache(self._play)

    def __iter__(self) -> Iterator[Session]:
        """The sessions that ended."""
        return (self.session(number) for number in range(self.seeds))

    def session(self, number: int) -> Session:
        return self._played(number)[0]

    @cached_property
    def voids(self) -> list[Session]:
        """Sessions that may be voided somewhere."""
        return [
            play(self.space, self.params, number, _VOID_DICE[number % len(_VOID_DICE)])
            for number in range(self.seeds * 3 // 10)
        ]

    def _play(self, number: int) -> tuple[Session, list[Open]]:
        """A session, and what is open in each of its states."""
        session = self.again(number)
        return session, [what_is_open(self.space, state) for state in session.states]

    def again(self, number: int) -> Session:
        """Session `number`, played once more."""
        return play(self.space, self.params, number, _DICE[number % len(_DICE)])

    @cached_property
    def open(self) -> list[tuple[int, int, Open]]:
        """Session, index and what is open, of every state of all sessions."""
        return [
            (number, i, each)
            for number in range(self.seeds)
            for i, each in enumerate(self._played(number)[1])
        ]

    def states(self, count: int) -> list[Place]:
        """At most so many of the states that the sessions went through, drawn from all."""
        return self._drawn(count, lambda each: True)

    def positions(self, count: int) -> list[Place]:
        """States in which a decision is open."""
        return self._drawn(count, lambda each: bool(each.decisions))

    def simultaneous(self, count: int) -> list[Place]:
        """States in which several seats owe a decision; empty for a Space without such turns."""
        return self._drawn(count, lambda each: len(each.decisions) > 1, may_lack=True)

    def inquiries(self, count: int) -> list[Place]:
        """States in which the oracle is asked; empty for a Space that asks none."""
        return self._drawn(count, lambda each: each.inquiry, may_lack=not self.asks)

    def _drawn(
        self, count: int, wanted: Callable[[Open], bool], may_lack: bool = False
    ) -> list[Place]:
        """In the order in which they were played, which is kind to Spaces that remember a little."""
        found = [(number, i) for number, i, each in self.open if wanted(each)]
        assert may_lack or len(found) >= min(count, self.seeds), "a check would see next to nothing"
        rng = random.Random(0)
        places = sorted(rng.sample(found, min(count, len(found))))
        return [self._place(number, i, rng) for number, i in places]

    def _place(self, number: int, i: int, rng: random.Random) -> Place:
        session, opened = self._played(number)
        return Place(session.states[i], opened[i].decisions, session.streams, rng)
