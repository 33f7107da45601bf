"""Words, sentences and lines, as the constraints of a brief count them. Pure.

A word is a run of letters or digits of any script, with apostrophes and hyphens inside. A sentence ends with `.`, `!`,
`?` or `…` before a space or the end of its line, and every line ends one; abbreviations like `Dr. No`
therefore count twice, for every seat alike.
"""

from __future__ import annotations

import re
from collections.abc import Collection

# Letters and digits with their combining marks, but no underscore.
_WORD = re.compile(r"[^\W_]+(?:['\u2019\u2010\u2011-][^\W_]+)*")
_END = re.compile(r"(?<=[.!?\u2026])[\"'\u201d\u2019)]*(?:\s+|$)")
_CLOSING = "\"'\u201d\u2019)"


def words(text: str) -> list[str]:
    """In order, lower case, apostrophes straightened."""
    return [match.casefold().replace("\u2019", "'") for match in _WORD.findall(text)]


def says(spoken: Collection[str], word: str) -> bool:
    """Whether a word stands among them: as it is, in the plural with -s, or in the genitive."""
    return any(form in spoken for form in (word, f"{word}s", f"{word}'s", f"{word}s'"))


def sentences(text: str) -> list[str]:
    """Those that hold a word."""
    parts = (part for line in text.split("\n") for part in _END.split(line))
    return [part for part in parts if _WORD.search(part)]


def last_mark(text: str) -> str:
    """The last character, but for closing quotes and brackets; empty for an empty text."""
    return text.rstrip().rstrip(_CLOSING)[-1:]
