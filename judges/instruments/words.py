"""English words in a text, for the instruments. Pure."""

from __future__ import annotations

import re
import unicodedata

# A leading or trailing apostrophe belongs to the word where letters were dropped: 'cause, spittin'.
_WORD = re.compile(r"'?[a-z]+(?:'[a-z]+)*'?")


def words(text: str) -> list[str]:
    """Lower case words with their apostrophes; accents are dropped, digits and the rest separate."""
    plain = text.lower()
    if not text.isascii():
        folded = unicodedata.normalize("NFKD", text.replace("\u2019", "'")).lower()
        plain = "".join(char for char in folded if not unicodedata.combining(char))
    return [_unquoted(match) for match in _WORD.findall(plain)]


def _unquoted(word: str) -> str:
    """A word between two apostrophes was quoted; neither is part of it."""
    return word[1:-1] if word.startswith("'") and word.endswith("'") else word
