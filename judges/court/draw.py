"""Who sits on a panel: drawn by stake, without replacement, one seat for an operator, few for a family. Pure.

The chance comes from outside, as one number of 256 bits for each seat (`chain.court.seed`), so that this is the same draw
in the contract, in the simulator and in everybody's verifier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from judges.court.terms import family_cap, reserves

Word = Callable[[int], int]
"""The number that draws seat i, 0 <= n < 2 ** 256."""


class Candidate(msgspec.Struct, frozen=True):
    """One judge of a snapshot."""

    judge: str
    operator: str
    family: str
    weight: int
    """What it has staked; 0 is never drawn."""


class Panel(msgspec.Struct, frozen=True):
    """Indices into the snapshot, in the order in which they were drawn."""

    seated: tuple[int, ...]
    reserves: tuple[int, ...]
    """Fewer than ceil(k / 3) where no more could be drawn."""


class TooFew(Exception):
    """The snapshot cannot fill the panel's seats under its caps. `drawn` could be."""

    def __init__(self, drawn: int, seats: int) -> None:
        super().__init__(f"only {drawn} of {seats} seats can be filled under the caps")
        self.drawn = drawn


def draw(candidates: Sequence[Candidate], seats: int, word: Word) -> Panel:
    """Seat i goes to the first candidate with whom the sum of the weights of those who may still sit, in the snapshot's
    order, exceeds word(i) mod their sum. Who may sit: whose operator has no seat and whose family has fewer than its cap;
    reserves count as seats. Raises TooFew."""
    cap = family_cap(seats)
    drawn: list[int] = []
    operators: set[str] = set()
    families: dict[str, int] = {}
    for seat in range(seats + reserves(seats)):
        weights = [
            0 if each.operator in operators or families.get(each.family, 0) >= cap else each.weight
            for each in candidates
        ]
        whole = sum(weights)
        if whole == 0:
            break
        at = _first_above(weights, word(seat) % whole)
        drawn.append(at)
        operators.add(candidates[at].operator)
        families[candidates[at].family] = families.get(candidates[at].family, 0) + 1
    if len(drawn) < seats:
        raise TooFew(len(drawn), seats)
    return Panel(tuple(drawn[:seats]), tuple(drawn[seats:]))


def _first_above(weights: Sequence[int], target: int) -> int:
    reached = 0
    for at, weight in enumerate(weights):
        reached += weight
        if reached > target:
            return at
    raise AssertionError("the target is below the sum of the weights")
