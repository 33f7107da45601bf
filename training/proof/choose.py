"""Which steps are made again, and from where. Pure. Steps count from 1; a checkpoint of step k is what stood after it, 0 the beginning."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable

import msgspec

_PART = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")


class BadSteps(ValueError):
    """The text names no steps of this training."""


class Stretch(msgspec.Struct, frozen=True):
    """Steps that are made again in one go."""

    after: int
    """The checkpoint that it goes on from; 0: the beginning."""
    last: int

    @property
    def steps(self) -> range:
        return range(self.after + 1, self.last + 1)


def by_default(card: str, total: int, checkpoints: Collection[int]) -> tuple[int, ...]:
    """The first step, the last before the first checkpoint (whose state is then checked, too), and one drawn by the card's id.

    The trainer does not know the draw before the card is done; one who makes many cards can have it fall where it likes: whoever
    suspects that names steps of his own.
    """
    drawn = int.from_bytes(hashlib.sha256(b"agon-again/1" + card.encode()).digest(), "big") % total
    return tuple(sorted({1, min(checkpoints, default=1), drawn + 1}))


def named(text: str, total: int) -> tuple[int, ...]:
    """`1,25,30-34`, or `all`. Raises BadSteps."""
    if text == "all":
        return tuple(range(1, total + 1))
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise BadSteps(f"{part[:40]!r} is no step: write 1,25,30-34 or all")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= total:
            raise BadSteps(f"{part.strip()}: the training has steps 1 to {total}")
        found |= {*range(first, last + 1)}
    return tuple(sorted(found))


def stretches(steps: Iterable[int], checkpoints: Collection[int]) -> list[Stretch]:
    """The fewest steps that lead to all of these, each stretch from the nearest checkpoint before."""
    last: dict[int, int] = {}
    for step in steps:
        after = max((each for each in checkpoints if each < step), default=0)
        last[after] = max(last.get(after, 0), step)
    return [Stretch(after, until) for after, until in sorted(last.items())]


def in_words(steps: Iterable[int]) -> str:
    """`1-25, 38`."""
    runs: list[list[int]] = []
    for step in sorted(set(steps)):
        if runs and step == runs[-1][1] + 1:
            runs[-1][1] = step
        else:
            runs.append([step, step])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
