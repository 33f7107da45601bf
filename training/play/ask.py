"""What a player is asked, and what it says."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from spaces.space import Space
from training.chat import Message


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of one seat at one decision."""

    space: Space[Any, Any, Any]
    state: Any
    """Of the rules, with every secret: a player looks at it through `space.observe(state, seat)` alone."""
    seat: int
    kind: str
    """Of the decision, e.g. `bid`."""
    messages: tuple[Message, ...]
    """What a language model is told; on the second attempt with the reason of the refusal."""
    legal: tuple[str, ...] | None
    """Every legal answer in its canonical form, where they can be counted up; None elsewhere."""
    match: str
    """Tells this match from every other one of its run; says nothing of the match's seed."""
    number: int
    """Of the turn in the match, from 1 on."""
    attempt: int = 1
    """2 after a refusal: the last one before the Space's forfeit rule."""
    fault: str | None = None
    """Why the first attempt did not count."""

    @property
    def view(self) -> dict[str, Any]:
        """What the seat may see, as JSON."""
        return self.space.observe(self.state, self.seat)

    def seed(self, purpose: str) -> int:
        """A seed of this very attempt: so what is drawn for it depends on nothing that others are asked."""
        words = f"agon-play/{purpose}/{self.match}/{self.number}/{self.seat}/{self.attempt}"
        return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big")


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """An answer; a player that is no language model leaves the token ids empty."""

    text: str
    whole: bool = True
    """False: cut off by the limit of tokens."""
    prompt: tuple[int, ...] = ()
    """Token ids of the question, shape (P,)."""
    completion: tuple[int, ...] = ()
    """Token ids of the answer, with the end token where it is whole; shape (C,)."""
    logprobs: tuple[float, ...] = ()
    """Natural logarithms, of each token as it was drawn: at the player's temperature, and of the tokens
    that the grammar allowed where there was one; shape (C,)."""
    allowed: tuple[tuple[int, ...], ...] = ()
    """For each token those that the grammar allowed in its place; empty where there was no grammar."""


class Player(Protocol):
    """Whoever sits in seats of many matches at once."""

    @property
    def system(self) -> str:
        """The system prompt that the player's model is told; empty for one that has no model."""

    def answers(self, asks: Sequence[Ask]) -> Sequence[Said]:
        """One answer for each question, in their order. Blocks."""
