"""The running count of a tournament: points, games and who took how many off whom. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm

from server.tournament.fixture import Standing, points


class Tally:
    """Counts of entrants 0 .. entrants-1 in games of `seats`."""

    def __init__(self, entrants: int, seats: int) -> None:
        self._best = 2 * (seats - 1)
        self.points = [0] * entrants
        """Half points."""
        self.played = [0] * entrants
        self.wins = [0] * entrants
        """Games in which nobody else ranked as well."""
        self.draws = [0] * entrants
        """Games in which the first rank was shared."""
        self.against: list[dict[int, list[int]]] = [{} for _ in range(entrants)]
        """For each entrant and opponent `[half points taken off it, games against it]`; an ordered pair
        that has not met is missing. In one game: 2 for beating it, 1 for a tie."""

    def add(self, seats: Sequence[int], ranks: Sequence[int]) -> None:
        """Count one game."""
        best = min(ranks)
        shared = sum(rank == best for rank in ranks) > 1
        for entrant, rank, own in zip(seats, ranks, points(ranks), strict=True):
            self.points[entrant] += own
            self.played[entrant] += 1
            if rank == best:
                (self.draws if shared else self.wins)[entrant] += 1
            for other, others in zip(seats, ranks, strict=True):
                if other != entrant:
                    pair = self.against[entrant].setdefault(other, [0, 0])
                    pair[0] += 2 * (rank < others) + (rank == others)
                    pair[1] += 1

    def shares(self) -> list[int]:
        """By entrant, points for a game, in the one unit that makes all of them integers; 0 before the
        first game. Exact as fractions are, and many times faster: a thousand entrants are compared."""
        unit = lcm(*(played for played in self.played if played))
        return [
            own * (unit // played) if played else 0
            for own, played in zip(self.points, self.played, strict=True)
        ]

    def taken(self, entrant: int, off: Sequence[int]) -> int:
        """Half points that `entrant` took off these opponents."""
        against = self.against[entrant]
        return sum(against[other][0] for other in off if other in against)

    def worth(self, entrant: int, shares: Sequence[int]) -> int:
        """Each opponent's share, times the half points taken off it: Sonneborn-Berger, in the unit of
        `shares`."""
        return sum(shares[other] * pair[0] for other, pair in self.against[entrant].items())

    def standing(self, rank: int, entrant: int, note: str = "") -> Standing:
        played, wins, draws = self.played[entrant], self.wins[entrant], self.draws[entrant]
        return Standing(
            rank=rank,
            entrant=entrant,
            points=self.points[entrant],
            possible=self._best * played,
            played=played,
            wins=wins,
            draws=draws,
            losses=played - wins - draws,
            note=note,
        )
