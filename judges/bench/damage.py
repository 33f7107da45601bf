"""Faults that are planted in good work, so that it is known which of two works is better. Pure.

Each takes a work as it stands and gives it back worse in one way. Chance comes as a `random.Random`: the same one
plants the same fault.
"""

from __future__ import annotations

import enum
import itertools
import random
import re
from collections.abc import Iterator, Sequence

_SENTENCE = re.compile(r"(?<=[.!?]) +")
KEPT = 0.45
"""Of the words of a work that is cut off."""
TAILS = (
    "table", "window", "mountain", "month", "elephant", "cupboard", "parsley", "wolf", "oyster", "giraffe", "violin",
    "museum", "umbrella", "envelope", "dinosaur", "notebook", "sandwich", "lemonade", "film", "depth", "warmth", "golf",
)  # fmt: skip
"""Words that end the lines of a work whose rhymes are broken; none rhymes with another."""


class Damage(enum.StrEnum):
    SHUFFLED = "shuffled"
    """Its words in any order, on lines as long as before."""
    OFF_TOPIC = "off-topic"
    """Another work that is as good, on another topic."""
    TRUNCATED = "truncated"
    """Cut off in the middle of a line."""
    REPEATED = "repeated"
    """Its first line or sentence again and again."""
    RHYME_BROKEN = "rhyme-broken"
    """Each line ends on another word than it should."""


OF_VERSES = tuple(Damage)
OF_PROSE = (Damage.SHUFFLED, Damage.OFF_TOPIC, Damage.TRUNCATED, Damage.REPEATED)


def damaged(
    works: Sequence[str], damage: Damage, rng: random.Random, other: Sequence[str]
) -> tuple[str, ...]:
    """A side's works, in order, each with the fault; `other` are works on another topic, at least as many."""
    match damage:
        case Damage.SHUFFLED:
            return tuple(_shuffled(work, rng) for work in works)
        case Damage.OFF_TOPIC:
            return tuple(other[: len(works)])
        case Damage.TRUNCATED:
            return tuple(_truncated(work) for work in works)
        case Damage.REPEATED:
            return tuple(_repeated(work) for work in works)
        case Damage.RHYME_BROKEN:
            tails = itertools.cycle(rng.sample(TAILS, k=len(TAILS)))
            return tuple(_rhyme_broken(work, tails) for work in works)


def _shuffled(work: str, rng: random.Random) -> str:
    lines = [line.split() for line in work.split("\n")]
    words = [word for line in lines for word in line]
    rng.shuffle(words)
    left = iter(words)
    return "\n".join(" ".join(next(left) for _ in line) for line in lines)


def _truncated(work: str) -> str:
    """At least one word; the last one may be any."""
    left = max(1, round(KEPT * len(work.split())))
    kept: list[str] = []
    for line in work.split("\n"):
        words = line.split()[:left]
        left -= len(words)
        if words:
            kept.append(" ".join(words))
    return "\n".join(kept)


def _repeated(work: str) -> str:
    """As long as before, or nearly: lines of a verse, sentences of a paragraph."""
    lines = work.split("\n")
    if len(lines) > 3:
        return "\n".join([lines[0]] * len(lines))
    sentences = _SENTENCE.split(work.replace("\n", " "))
    return " ".join([sentences[0]] * len(sentences))


def _rhyme_broken(work: str, tails: Iterator[str]) -> str:
    return "\n".join(
        f"{line.rpartition(' ')[0]} {tail}".strip()
        for line, tail in zip(work.split("\n"), tails, strict=False)
    )
