"""How far a text is from what was there before: the topic, the rival, and what its own author wrote before. Pure.

Two measures. *Novelty* is the share of word trigrams that no source has: what n-gram overlap (as in BLEU of Papineni et al.
2002, clipped precision of one order) leaves. *Distance* is 1 less the cosine of two vectors
(`judges.instruments.embedding`): 0 says the same thing, 1 has nothing to do with it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence

from judges.instruments.embedding import Vectors, cosine
from judges.instruments.words import words

ORDER = 3


def novelty_milli(text: str, sources: Iterable[str], order: int = ORDER) -> int:
    """The share of `order`-grams that stand in no source, in thousandths; each is matched as often as the
    source that has it oftenest has it. 0 for a text that is shorter than one."""
    own = Counter(_grams(text, order))
    known: Counter[tuple[str, ...]] = Counter()
    for source in sources:
        known |= Counter(_grams(source, order))
    count = own.total()
    return (count - (own & known).total()) * 1_000 // count if count else 0


def distance_milli(text: str, sources: Sequence[str], vectors: Vectors) -> int | None:
    """To the nearest source, in thousandths, 0 to 1,000; None where nothing can be compared."""
    own = vectors.of(text)
    others = [each for each in map(vectors.of, sources) if each.any()]
    if not own.any() or not others:
        return None
    nearest = max(cosine(own, each) for each in others)
    return max(0, min(1_000, round(1_000 * (1 - nearest))))


def _grams(text: str, order: int) -> Iterable[tuple[str, ...]]:
    spoken = words(text)
    return zip(*(itertools.islice(spoken, start, None) for start in range(order)), strict=False)
