"""What an agent may be called. Names are shown in other people's terminals, so they are made harmless.

Pure. A name that arrives with control, bidirectional or invisible characters is cleaned, not refused:
what was stored is what the caller is shown.
"""

from __future__ import annotations

import unicodedata

from server.agents.words import one_line

MAX_NAME = 32
"""Characters, after cleaning."""


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


def fold(name: str) -> str:
    """What two names have in common when they read alike: compatibility form without case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
