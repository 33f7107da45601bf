"""One game of a tournament, and what its ranks are worth. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec


class Fixture(msgspec.Struct, frozen=True):
    """A game that is to be played: which entrant sits where."""

    name: str
    """Unique in its tournament and the same in every life of the director, e.g. `r2.m1.g3`."""
    match: str
    """What it is a game of: the match of a knockout, the pairing of a round-robin."""
    round: int
    """From 1 on."""
    seats: tuple[int, ...]
    """Entrants by seat. An entrant is its place in the order of seeds, from 0 on."""


class Standing(msgspec.Struct, frozen=True):
    """Where one entrant stands."""

    rank: int
    """1 is best; equal ranks are shared."""
    entrant: int
    points: int
    """Half points: two for each seat beaten in a game, one for each seat tied with."""
    possible: int
    """What `points` would be had every game been won."""
    played: int
    wins: int
    draws: int
    losses: int
    note: str = ""
    """For people: how far it came in a knockout, or what broke a tie."""


class Format(Protocol):
    """The plan of a tournament: which games there are, given the results so far."""

    def ready(self) -> Iterator[Fixture]:
        """The games that may be played now and have not been handed out yet, in order. Lazy: what is
        not taken is handed out by a later call."""

    def take(self, fixture: Fixture, ranks: Sequence[int] | None) -> None:
        """A game's result by seat, 1 is best; None: it could not be played and is given up. Once for
        each game, in an order in which they could have been played."""

    @property
    def done(self) -> bool:
        """Every game has its result."""

    @property
    def total(self) -> int:
        """How many games there will be, at most."""

    def standings(self, top: int | None = None) -> list[Standing]:
        """The entrants, best first: the first `top`, or all."""


def points(ranks: Sequence[int]) -> tuple[int, ...]:
    """Half points by seat: two for each seat that ranks worse, one for each other seat that ranks alike.

    In a game of two: 2 for a win, 1 for a draw, 0 for a loss. The sum is seats * (seats - 1).
    """
    return tuple(
        2 * sum(other > own for other in ranks) + sum(other == own for other in ranks) - 1
        for own in ranks
    )
