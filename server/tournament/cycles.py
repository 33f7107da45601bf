"""The tables of a round-robin of Spaces with more than two seats. Pure.

Nobody can meet everybody once at tables of five, in general (that would be a block design, which exists
for few sizes), so a cyclic one is taken (Bose, 1939): from a base block d_0 … d_{k-1} of different
numbers come the n tables {d_0 + i, …, d_{k-1} + i} mod n. In each such cycle every entrant plays k
games, one in each seat, and two entrants meet as often as the distance between them, modulo n, is a
difference within the block. The blocks of one leg are chosen greedily until all distances are covered:
in a leg everyone meets everyone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from server.tournament.fixture import Fixture


@cache
def blocks(entrants: int, seats: int) -> tuple[tuple[int, ...], ...]:
    """The base blocks of one leg, fewest games first come greedily; deterministic.

    Raises ValueError for fewer entrants than seats.
    """
    if entrants < seats:
        raise ValueError(f"a table of {seats} needs as many entrants, got {entrants}")
    missing = set(range(1, entrants // 2 + 1))
    found = []
    while missing:
        block = _block(entrants, seats, missing)
        missing -= {_distance(a, b, entrants) for a in block for b in block if a != b}
        found.append(block)
    return tuple(found)


def _block(entrants: int, seats: int, missing: set[int]) -> tuple[int, ...]:
    """0 and a missing distance, then whatever covers the most missing distances."""
    block = [0, min(missing)]
    for _ in range(seats - 2):
        taken = {_distance(a, b, entrants) for a in block for b in block if a != b}
        wanted = missing - taken
        free = (each for each in range(1, entrants) if each not in block)
        block.append(
            max(
                free,
                key=lambda d: (
                    len({_distance(d, b, entrants) for b in block} & wanted),
                    -d,
                ),
            )
        )
    return tuple(block)


def _distance(a: int, b: int, entrants: int) -> int:
    gap = (a - b) % entrants
    return min(gap, entrants - gap)


def tables(entrants: int, seats: int) -> int:
    """Games of one leg."""
    return entrants * len(blocks(entrants, seats))


def leg(entrants: int, seats: int, number: int) -> Iterator[Fixture]:
    """The games of leg `number` (from 1 on), cycle after cycle; a cycle counts as a round."""
    found = blocks(entrants, seats)
    for cycle, block in enumerate(found):
        for turn in range(entrants):
            seated = tuple((offset + turn) % entrants for offset in block)
            name = f"l{number}.c{cycle + 1}.t{turn + 1}"
            round_ = (number - 1) * len(found) + cycle + 1
            yield Fixture(name, "-".join(map(str, sorted(seated))), round_, seated)
