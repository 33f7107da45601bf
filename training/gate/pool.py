"""Whether a candidate loses ground against the pool: its pairs beside the current version's with the same seeds. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

ALPHA = 0.05


class Compared(msgspec.Struct, frozen=True):
    """Scores of pairs (0 to 4 half points), by rival and seed in the same order."""

    candidate: tuple[int, ...] = ()
    current: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.candidate) != len(self.current):
            raise ValueError(
                f"{len(self.candidate)} pairs of the candidate beside {len(self.current)} of the current version"
            )

    @property
    def pairs(self) -> int:
        return len(self.candidate)

    @property
    def difference(self) -> float:
        """Of the scores per match, candidate less current, between -1 and 1; 0 of no pairs."""
        if not self.pairs:
            return 0.0
        return (sum(self.candidate) - sum(self.current)) / (4 * self.pairs)


def worse(compared: Compared) -> float:
    """The one-sided p-value of the exact sign-flip test (Fisher, 1935): how likely so low a sum of differences is, or a lower
    one, were each as likely to be the other way round."""
    differences = [a - b for a, b in zip(compared.candidate, compared.current, strict=True)]
    ways: Counter[int] = Counter({0: 1})
    for each in map(abs, differences):
        if each:
            flipped: Counter[int] = Counter()
            for total, count in ways.items():
                flipped[total + each] += count
                flipped[total - each] += count
            ways = flipped
    found = sum(differences)
    return sum(count for total, count in ways.items() if total <= found) / sum(ways.values())


def lost_ground(compared: Compared, alpha: float = ALPHA) -> bool:
    return compared.difference < 0 and worse(compared) < alpha


def comparable(candidate: Sequence[int | None], current: Sequence[int | None]) -> Compared:
    """Of the pairs that both could play."""
    both = [
        (a, b) for a, b in zip(candidate, current, strict=True) if a is not None and b is not None
    ]
    return Compared(tuple(a for a, _ in both), tuple(b for _, b in both))
