"""A knockout of Spaces with more than two seats: each round the entrants meet in heats. Pure.

A heat seats exactly as many as the Space has seats, and the better half of it goes on (two of five).
As many heats are played at once as can be filled; whoever is left over, the best seeds, sits the round
out. Rounds go on until exactly one full table is left, which plays the final. Where the better
half of every heat would leave too few for that, more of the first heats (those of the best seeds) go on.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Round(msgspec.Struct, frozen=True):
    """How one round is played."""

    byes: int
    """So many of the best seeds sit it out."""
    through: tuple[int, ...]
    """For each heat, how many of it go on."""


def plan(alive: int, seats: int) -> Round:
    """The round of `alive` entrants at tables of `seats` (at least 3), while alive > seats."""
    if not 3 <= seats < alive:
        raise ValueError(f"no heats for {alive} entrants at tables of {seats}")
    half = seats // 2
    dropped = min((alive // seats) * (seats - half), alive - seats)
    heats = -(-dropped // (seats - half))
    each, more = divmod(dropped, heats)
    drops = [each + (heat >= heats - more) for heat in range(heats)]
    return Round(alive - heats * seats, tuple(seats - drop for drop in drops))


def sizes(entrants: int, seats: int) -> list[int]:
    """How many entrants each round begins with; the last is the final's, `seats`."""
    found = [entrants]
    while found[-1] > seats:
        round_ = plan(found[-1], seats)
        found.append(round_.byes + sum(round_.through))
    return found


def snake(seeds: Sequence[int], heats: int) -> list[list[int]]:
    """Spread seeds over heats there and back again, so that each heat is about as strong:
    1 2 3 / 6 5 4 / 7 8 9 …"""
    tables: list[list[int]] = [[] for _ in range(heats)]
    for place, seed in enumerate(seeds):
        row, column = divmod(place, heats)
        tables[column if row % 2 == 0 else heats - 1 - column].append(seed)
    return tables
