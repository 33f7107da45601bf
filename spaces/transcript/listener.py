"""What a replay tells whoever wants to know more than whether the transcript holds."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from spaces.space import Decision, Space


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of one seat at one decision, as it stands in the transcript."""

    turn: int
    """The transcript's number of the turn."""
    decision: Decision
    number: int
    """1, or 2 for the one retry."""
    state: Any
    """When the decision was opened: what the seat decided upon. Of simultaneous decisions all have the
    same, since no seat knows of another's."""
    told: str | None
    """Why the attempt before did not count, as the seat was told."""
    action: Any | None
    """What the rules took, stamped where the Space keeps time; None: the attempt was a fault."""
    raw: str | None = None
    """What was said, where the transcript keeps it."""
    code: str | None = None
    """Of a fault: `unparsable`, `illegal`, `late`."""
    reason: str | None = None
    """Of a fault."""


class Listener(Protocol):
    """Is told in the order of the entries. What it was told holds only if the replay then does."""

    def attempted(self, space: Space[Any, Any, Any], attempt: Attempt) -> None: ...
