"""The rounds of a round-robin between two: everyone meets everyone once in a leg. Pure.

The circle method (Kirkman, 1847; FIDE Handbook C.05, annex 1): one entrant stays, the others move on by
one place each round, and who face each other meet. With an odd number, who faces the empty place
sits out. In every second leg the seats are swapped, and within a leg nobody's seats differ by more than one.
"""

from __future__ import annotations

from collections.abc import Iterator

from server.tournament.fixture import Fixture


def pairs(entrants: int) -> int:
    """Games of one leg."""
    return entrants * (entrants - 1) // 2


def leg(entrants: int, number: int) -> Iterator[Fixture]:
    """The games of leg `number` (from 1 on), round after round."""
    places = entrants + entrants % 2
    rounds = places - 1
    for turn in range(rounds):
        for table in range(places // 2):
            if table == 0:
                first, second = (places - 1, turn) if turn % 2 else (turn, places - 1)
            else:
                first, second = (turn + table) % rounds, (turn - table) % rounds
                if table % 2:
                    first, second = second, first
            if max(first, second) >= entrants:
                continue
            seats = (first, second) if number % 2 else (second, first)
            low, high = sorted(seats)
            name = f"l{number}.r{turn + 1}.t{table + 1}"
            yield Fixture(name, f"{low}-{high}", (number - 1) * rounds + turn + 1, seats)
