"""A knockout: who loses a match is out. Pure.

Two-seat Spaces play a standard bracket (`bracket`), others play heats (`heats`). Every match, the final
too, is best of three games with the seats moved on each time (`match`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from server.tournament import bracket, heats
from server.tournament.fixture import Fixture, Standing
from server.tournament.match import BEST_OF, Match
from server.tournament.tally import Tally
from spaces.seed import Streams


class Knockout:
    """A `fixture.Format`. Entrants are seeds, 0 is the best."""

    def __init__(self, entrants: int, seats: int, streams: Streams, best_of: int = BEST_OF) -> None:
        if entrants < seats:
            raise ValueError(
                f"a knockout at tables of {seats} needs as many entrants, got {entrants}"
            )
        self._streams = streams
        self._seats = seats
        self._best_of = best_of
        self._entrants = entrants
        self._tally = Tally(entrants, seats)
        self._ready: deque[Fixture] = deque()
        self.matches: dict[str, Match] = {}
        """Every match whose players are known, in the order in which they became known."""
        self.out: dict[int, int] = {}
        """Entrant -> the round in which it lost."""
        self.final: list[int] | None = None
        """The final's players, best first, once it is decided; by seed where it was not played."""
        self._final_unplayed = False
        sizes = heats.sizes(entrants, seats) if seats > 2 else []
        self.rounds = len(sizes) if seats > 2 else bracket.rounds(entrants)
        if seats == 2:
            self._slots: dict[tuple[int, int], list[int]] = {}
            self._first_of_bracket()
        else:
            self.total = best_of * (
                1 + sum(len(heats.plan(each, seats).through) for each in sizes[:-1])
            )
            self._through: dict[str, int] = {}
            self._next: list[int] = []
            self._open = 0
            self._round_of_heats(1, list(range(entrants)))

    total: int

    def ready(self) -> Iterator[Fixture]:
        while self._ready:
            yield self._ready.popleft()

    @property
    def done(self) -> bool:
        return self.final is not None

    def take(self, fixture: Fixture, ranks: Sequence[int] | None) -> None:
        match = self.matches[fixture.match]
        match.take(fixture, ranks)
        if ranks is not None:
            self._tally.add(fixture.seats, ranks)
        following = match.fixture()
        if following is not None:
            self._ready.append(following)
        elif match.round == self.rounds:
            self.final, self._final_unplayed = match.order(), match.unplayed
        elif self._seats == 2:
            winner, loser = match.order()
            self.out[loser] = match.round
            _, _, number = match.name.partition(".m")
            self._advance(winner, match.round + 1, int(number))
        else:
            self._heat_over(match)

    # ------------------------------------------------------------------ two seats: the bracket

    def _first_of_bracket(self) -> None:
        self.total = self._best_of * (self._entrants - 1)
        for number, (better, other) in enumerate(bracket.first_round(self._entrants), 1):
            if other is None:
                self._advance(better, 2, number)
            else:
                self._begin(f"r1.m{number}", 1, [better, other])

    def _advance(self, winner: int, round_: int, feeder: int) -> None:
        """Put the winner of match `feeder` of the round before into its place of `round_`."""
        number = (feeder + 1) // 2
        slot = self._slots.setdefault((round_, number), [])
        slot.append(winner)
        if len(slot) == 2:
            self._begin(f"r{round_}.m{number}", round_, slot)

    # ------------------------------------------------------------------ more seats: heats

    def _round_of_heats(self, round_: int, alive: list[int]) -> None:
        if len(alive) == self._seats:
            self._begin(f"r{round_}.m1", round_, alive)
            return
        plan = heats.plan(len(alive), self._seats)
        self._next = alive[: plan.byes]
        tables = heats.snake(alive[plan.byes :], len(plan.through))
        self._open = len(tables)
        for number, (table, through) in enumerate(zip(tables, plan.through, strict=True), 1):
            name = f"r{round_}.m{number}"
            self._through[name] = through
            self._begin(name, round_, table)

    def _heat_over(self, match: Match) -> None:
        order, through = match.order(), self._through[match.name]
        self._next += order[:through]
        self.out |= dict.fromkeys(order[through:], match.round)
        self._open -= 1
        if self._open == 0:
            self._round_of_heats(match.round + 1, sorted(self._next))

    def through(self, name: str) -> int:
        """How many of a match's players go on; of the final, how many win it."""
        return self._through.get(name, 1) if self._seats > 2 else 1

    def _begin(self, name: str, round_: int, players: Sequence[int]) -> None:
        match = Match(name, round_, players, self._streams, self._best_of)
        self.matches[name] = match
        first = match.fixture()
        assert first is not None, "a match has a first game"
        self._ready.append(first)

    # ------------------------------------------------------------------ standings

    def standings(self, top: int | None = None) -> list[Standing]:
        """By how far each came; in the end the final's players by their places, others share theirs.
        A final of which no game could be played has no winner: its players share the first place."""
        reached = {entrant: self._reached(entrant) for entrant in range(self._entrants)}
        ordered = sorted(reached, key=lambda entrant: (-reached[entrant], entrant))
        found: list[Standing] = []
        for place, entrant in enumerate(ordered[:top], 1):
            alike = place > 1 and reached[ordered[place - 2]] == reached[entrant]
            rank = found[-1].rank if alike else place
            found.append(self._tally.standing(rank, entrant, self._note(entrant)))
        return found

    def _reached(self, entrant: int) -> int:
        """Larger is better: the round of the defeat; beyond all rounds for who has not lost."""
        if self.final is not None and entrant in self.final and not self._final_unplayed:
            return self.rounds + len(self.final) - self.final.index(entrant)
        return self.out.get(entrant, self.rounds + 1)

    def _note(self, entrant: int) -> str:
        if self.final is not None and entrant in self.final:
            if self._final_unplayed:
                return "final unplayed"
            return "winner" if self.final[0] == entrant else "final"
        lost = self.out.get(entrant)
        return "" if lost is None else f"out in {self.round_name(lost)}"

    def round_name(self, round_: int) -> str:
        """`final`, `semi-final`, `quarter-final`, or `round N`."""
        if round_ == self.rounds:
            return "final"
        names = {1: "semi-final", 2: "quarter-final"} if self._seats == 2 else {}
        return names.get(self.rounds - round_, f"round {round_}")
