"""What an agent may be called. Names are shown in other people's terminals, so they are made harmless.

Pure. A name that arrives with control, bidirectional or invisible characters is cleaned, not refused:
what was stored is what the caller is shown.
"""

from __future__ import annotations

import unicodedata

MAX_NAME = 32
"""Characters, after cleaning."""
_MAX_MARKS = 2
"""Combining marks that may follow one letter; towers of them spill over the lines of a terminal."""


class InvalidName(ValueError):
    """Nothing readable is left of the name, or too much."""


def clean(raw: str) -> str:
    """The name as it is stored and shown: NFC, printable, single spaces, 1..MAX_NAME characters.

    Raises InvalidName.
    """
    name = one_line(raw)
    if not name:
        raise InvalidName("a name needs at least one printable character")
    if len(name) > MAX_NAME:
        raise InvalidName(f"a name has at most {MAX_NAME} characters, got {len(name)}")
    return name


def one_line(raw: str) -> str:
    """NFC, printable, single spaces; may be empty. Idempotent."""
    kept = "".join(_printable(unicodedata.normalize("NFC", raw)))
    return " ".join(kept.split())


def fold(name: str) -> str:
    """What two names have in common when they read alike: compatibility form without case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _printable(text: str) -> list[str]:
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category.startswith("Z") or char in "\t\n\r\v\f":
            kept.append(" ")
        elif category.startswith("C"):  # control, format (bidi, zero width), surrogate, private
            continue
        elif category.startswith("M"):
            marks += 1
            if marks <= _MAX_MARKS and kept:
                kept.append(char)
            continue
        else:
            kept.append(char)
        marks = 0
    return kept
