"""Whether a hearing is a hidden audit: nobody can tell from its filing, and nobody can change it afterwards. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from chain.court import encoding


def commitment(salt: bytes, sheet: Sequence[int] | None) -> bytes:
    """What the filing says. `sheet`: the answer of an audit; None: there is none, judges are held against each other.
    `salt` is 32 secret bytes, new for each hearing. Raises ValueError."""
    return encoding.digest(salt, list(sheet or ()))
