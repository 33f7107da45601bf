"""Sessions as the choices that they are made of: best of all, then best of the rest, and so on. Pure.

A ranking of k seats is k - 1 choices or fewer: out of the seats that are left, the set of those that share
the best place. Choices out of equally many seats stand in one array, so that numpy fits all of them at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

MAX_SEATS = 12
"""Sets of seats are enumerated where ties occur: 4,095 of them at most. Of a larger session the first twelve
seats count; seats are dealt by chance, and who is left out of a Plackett-Luce ranking changes nothing in
what it says of the others."""

Ranking = tuple[Sequence[int], Sequence[int]]
"""Who sat there (indices of the field), and their competition ranks, 1 for the best; equal ranks are ties."""


class Choices:
    """All choices out of `seats` seats."""

    def __init__(self, seats: int, left: NDArray[np.intp], chosen: NDArray[np.bool_]) -> None:
        self.seats = seats
        self.left = left
        """(choices, seats): who was left, as indices of the field."""
        self.chosen = chosen
        """(choices, seats): who of them shared the best place."""

    def __len__(self) -> int:
        return len(self.left)


def split(rankings: Iterable[Ranking]) -> list[Choices]:
    """The choices of all rankings, by the number of seats to choose from, in the order of the rankings."""
    left: dict[int, list[list[int]]] = defaultdict(list)
    chosen: dict[int, list[list[bool]]] = defaultdict(list)
    for who, ranks in rankings:
        seats = sorted(zip(ranks[:MAX_SEATS], who[:MAX_SEATS], strict=True))
        while len(seats) > 1:
            best = seats[0][0]
            left[len(seats)].append([each for _, each in seats])
            chosen[len(seats)].append([rank == best for rank, _ in seats])
            seats = [seat for seat in seats if seat[0] != best]
    return [
        Choices(seats, np.array(left[seats], dtype=np.intp), np.array(chosen[seats], dtype=bool))
        for seats in sorted(left)
    ]


def tie_sizes(choices: Iterable[Choices]) -> tuple[int, ...]:
    """How many shared a best place, of more than one: the sizes that occur, ascending."""
    sizes = {int(size) for each in choices for size in np.unique(each.chosen.sum(axis=1))}
    return tuple(sorted(sizes - {1}))
