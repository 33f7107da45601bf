"""What a verifier tells this client, and the verifier as it is handed in.

The client knows neither the documents nor the chain: whoever opens it brings the verifier (`agon watch` does), and without
one the proof's screen says how to check by hand. Words come from the arena and other strangers; they are cleaned where they
are painted.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec


class Standing(enum.Enum):
    TRUE = "true"
    FALSE = "false"
    """A lie, or what is as good as one."""
    UNCHECKED = "unchecked"
    """The words say why, and what would be needed."""


class Finding(msgspec.Struct, frozen=True):
    what: str
    """Which fact, in one or two words. One that was unchecked may be told once more, checked."""
    standing: Standing
    words: str


class Name(msgspec.Struct, frozen=True):
    """Something by which anybody finds it again: a content id, a transaction, an epoch."""

    what: str
    text: str
    """What is copied."""


class Against(msgspec.Struct, frozen=True):
    """Who is asked and what is believed, a line each: where that is only found out on the way."""

    lines: tuple[str, ...]


Told = Finding | Name | Against
Tell = Callable[[Told], None]


class Unproven(Exception):
    """Nothing could be found out; the message is for people and says what to do."""


class Unwatched(Exception):
    """Raised by `tell` where nobody looks any more: the verifier lets it pass, and stops."""


class Prover(Protocol):
    """A verifier. It runs in a thread of its own, so it may block, and one that hangs holds nobody up."""

    @property
    def against(self) -> Sequence[str]:
        """Who is asked and what is believed, a line each, as far as it is known before."""
        ...

    def by_hand(self, session: str) -> str:
        """The command that does the same in a shell."""
        ...

    def prove(self, session: str, tell: Tell) -> None:
        """Tell each finding when it is known. Raises Unproven, and Unwatched where `tell` does."""
        ...
