"""A match of a knockout: a few games between the same entrants, with the seats moved on each time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from server.tournament.coin import drawn
from server.tournament.fixture import Fixture, points
from spaces.seed import Streams

BEST_OF = 3


class Match:
    """Games `1 .. best_of` between `players`, who are given in order of seeds.

    In game g, the player at place p of the base order sits at seat (p + g - 1) mod seats, where the
    base order is the order of seeds turned on by a committed draw. With two players the seats are so
    swapped in every game, and the match ends as soon as nobody can be caught up any more; with more,
    all games are played.
    """

    def __init__(
        self,
        name: str,
        round_: int,
        players: Sequence[int],
        streams: Streams,
        best_of: int = BEST_OF,
    ) -> None:
        self.name = name
        self.round = round_
        self.players = tuple(sorted(players))
        self.best_of = best_of
        self._streams = streams
        self._turned = streams.below(f"seats:{name}", len(self.players))
        self.points = dict.fromkeys(self.players, 0)
        """Half points over all games."""
        self.games: list[tuple[int, ...] | None] = []
        """Half points by player for each game that is over; None for one that was given up."""

    def fixture(self) -> Fixture | None:
        """The game that is to be played now; None when the match is decided."""
        if self.decided:
            return None
        number = len(self.games) + 1
        return Fixture(f"{self.name}.g{number}", self.name, self.round, self._seats(number))

    def _seats(self, number: int) -> tuple[int, ...]:
        count = len(self.players)
        turn = self._turned + number - 1
        return tuple(self.players[(seat - turn) % count] for seat in range(count))

    def take(self, fixture: Fixture, ranks: Sequence[int] | None) -> None:
        """The result of the game that `fixture` named."""
        if ranks is None:
            self.games.append(None)
            return
        scored = dict(zip(fixture.seats, points(ranks), strict=True))
        for player, own in scored.items():
            self.points[player] += own
        self.games.append(tuple(scored[player] for player in self.players))

    @property
    def decided(self) -> bool:
        left = self.best_of - len(self.games)
        if left == 0 or len(self.players) > 2:
            return left == 0
        first, second = self.points.values()
        return abs(first - second) > 2 * left

    def order(self) -> list[int]:
        """The players, best first. Ties are broken by the committed coin; where no game was played, the
        better seeds come first. Call once decided."""
        if self.unplayed:
            return list(self.players)
        order: list[int] = []
        for tied in self._groups():
            order += drawn(self._streams, tied, partial(self._label, len(order) + 1))
        return order

    def coin(self, through: int) -> bool:
        """Whether the coin says who is among the first `through`."""
        if self.unplayed:
            return False
        seen = 0
        for tied in self._groups():
            seen += len(tied)
            if seen >= through:
                return seen > through
        return False

    @property
    def unplayed(self) -> bool:
        """It is decided, but every game was given up: chance shall not stand for play."""
        return self.decided and all(game is None for game in self.games)

    def _label(self, place: int, further: int) -> str:
        both = len(self.players) == 2
        return f"coin:{self.name}" if both else f"coin:{self.name}:{place + further}"

    def _groups(self) -> list[list[int]]:
        by_points: dict[int, list[int]] = {}
        for player in self.players:
            by_points.setdefault(self.points[player], []).append(player)
        return [by_points[each] for each in sorted(by_points, reverse=True)]
