"""Whether words stand in an order that English allows: how many small words bind nothing. Pure.

Ours, without a published definition: an article or possessive wants a word of its own behind it, a preposition wants
more than a conjunction, a subject wants a verb. In English that somebody wrote next to none of these *binders* is
followed by what it cannot bind or by the end of its line; in the same words shuffled about four of ten are. It
knows nothing of meaning, and few binders say little: `strays` tells their number, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from judges.instruments.words import words

_ARTICLES = frozenset(("a", "an", "the", "my", "your", "our", "their", "its"))
_PREPOSITIONS = frozenset(("of", "with", "from", "into", "at", "for", "by", "to", "in", "on"))
_SUBJECTS = frozenset(("i", "he", "she", "we", "they"))
_JOINS = frozenset(("and", "or", "but", "because"))
_BE = frozenset(("is", "are", "was", "were", "am", "be", "been"))
_NO_NOUN = (
    _ARTICLES | _PREPOSITIONS | _SUBJECTS | _JOINS | _BE | {"it", "you", "him", "them", "us", "me"}
)
_NO_VERB = _ARTICLES | _SUBJECTS | {"of", "from", "with", "into"}
_NO_OBJECT = _JOINS | _SUBJECTS | {"is", "are", "was", "were", "am", "of"}


def strays(text: str) -> tuple[list[str], int]:
    """The pairs of words in which a binder binds nothing (one word at the end of a line), and how many
    binders there are."""
    found: list[str] = []
    count = 0
    for line in text.split("\n"):
        for word, after in _pairs(line):
            loose = _loose(word, after)
            if loose is not None:
                count += 1
                if loose:
                    found.append(f"{word} {after}".strip())
    return found, count


def strays_milli(text: str) -> int:
    """The share of binders that bind nothing, in thousandths; 0 for a text without any."""
    found, count = strays(text)
    return len(found) * 1_000 // count if count else 0


def _loose(word: str, after: str) -> bool | None:
    """None: the word is no binder."""
    if word in _ARTICLES:
        return not after or after in _NO_NOUN
    if word in _SUBJECTS:
        return after in _NO_VERB
    if word in _PREPOSITIONS:
        return after in _NO_OBJECT
    return None


def _pairs(line: str) -> Iterable[tuple[str, str]]:
    spoken = words(line)
    return itertools.zip_longest(spoken, spoken[1:], fillvalue="")
