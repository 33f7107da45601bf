"""How varied the words of a text are, whatever its length. Pure.

The moving-average type-token ratio (MATTR) of M. A. Covington and J. D. McFall, "Cutting the Gordian Knot",
Journal of Quantitative Linguistics 17(2), 2010: the share of different words among WINDOW words in a row, averaged
over every place of the window. The plain ratio falls with each word that is added; this one does not. Ours: a
window for short texts, and a text that is shorter has its plain ratio.
"""

from __future__ import annotations

from judges.instruments.words import words

WINDOW = 30


def variety_milli(text: str, window: int = WINDOW) -> int:
    """In thousandths; 0 for a text without a word."""
    spoken = words(text)
    if not spoken:
        return 0
    size = min(window, len(spoken))
    places = range(len(spoken) - size + 1)
    different = sum(len(set(spoken[at : at + size])) for at in places)
    return different * 1_000 // (size * len(places))
