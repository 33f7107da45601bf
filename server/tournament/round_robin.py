"""A round-robin: everyone meets everyone, leg after leg. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice

from server.tournament import cycles, pairs
from server.tournament.fixture import Fixture, Standing
from server.tournament.standings import ranked
from server.tournament.tally import Tally
from spaces.seed import Streams


class RoundRobin:
    """A `fixture.Format`. Two seats play all pairs (`pairs`), more seats play tables (`cycles`).

    `games` of them in all: full legs, and of the last one as many as are left over. With a multiple of
    `leg_games` all pairs meet equally often (all distances, see `cycles`), with an even multiple each
    pair has sat as often one way as the other.
    """

    def __init__(self, entrants: int, seats: int, streams: Streams, games: int) -> None:
        if entrants < max(seats, 2):
            raise ValueError(f"tables of {seats} need as many entrants, got {entrants}")
        self._entrants = entrants
        self._seats = seats
        self._streams = streams
        self.total = games
        self.tally = Tally(entrants, seats)
        self._over = 0
        self._schedule = islice(_legs(entrants, seats), games)

    def ready(self) -> Iterator[Fixture]:
        # a generator of its own for each call, so that closing it leaves the schedule where it stands
        while (fixture := next(self._schedule, None)) is not None:
            yield fixture

    @property
    def done(self) -> bool:
        return self._over == self.total

    def take(self, fixture: Fixture, ranks: Sequence[int] | None) -> None:
        self._over += 1
        if ranks is not None:
            self.tally.add(fixture.seats, ranks)

    def standings(self, top: int | None = None) -> list[Standing]:
        return ranked(self.tally, self._entrants, self._streams if self.done else None, top)


def leg_games(entrants: int, seats: int) -> int:
    """Games in which everyone meets everyone at least once; with two seats exactly once."""
    return pairs.pairs(entrants) if seats == 2 else cycles.tables(entrants, seats)


def _legs(entrants: int, seats: int) -> Iterator[Fixture]:
    for number in count(1):
        yield from (
            pairs.leg(entrants, number) if seats == 2 else cycles.leg(entrants, seats, number)
        )
