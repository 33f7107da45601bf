"""The standard bracket of a knockout between two: where seeds are placed, and who sits out at first. Pure.

Seed 1 and 2 can meet only in the final, 1 to 4 only from the semi-finals on, and so on. Where the
entrants are no power of two, the best seeds have no opponent in the first round: a bye. This is the
placing that tennis and most others use.
"""

from __future__ import annotations


def rounds(entrants: int) -> int:
    """How many rounds `entrants` (at least 2) need: the binary logarithm, rounded up."""
    if entrants < 2:
        raise ValueError(f"a bracket needs at least 2 entrants, got {entrants}")
    return (entrants - 1).bit_length()


def placing(size: int) -> list[int]:
    """Seeds 0 .. size-1 (a power of two) from the top of the bracket to its bottom.

    Neighbours meet in the first round, and winners of neighbouring pairs in the second.
    """
    order = [0]
    while len(order) < size:
        last = 2 * len(order) - 1
        order = [seed for pair in ((each, last - each) for each in order) for seed in pair]
    return order


def first_round(entrants: int) -> list[tuple[int, int | None]]:
    """The first round's places from top to bottom: (better seed, other seed or None for a bye)."""
    size = 1 << rounds(entrants)
    order = placing(size)
    return [
        (better, other if other < entrants else None)
        for better, other in zip(order[::2], order[1::2], strict=True)
    ]
