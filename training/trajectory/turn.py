"""The unit of training: one attempt of one seat at one decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from spaces.space import Space
from training.chat import Message


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at one decision."""

    session: str
    """Content id of the transcript."""
    seat: int
    number: int
    """The transcript's number of the turn, from 1 on."""
    kind: str
    """Of the decision, e.g. `bid`."""
    attempt: int
    """1, or 2 for the one retry."""
    messages: tuple[Message, ...]
    """What the model is asked with."""
    completion: str
    """What it answered."""
    legal: bool
    """Whether the rules took it."""


class SeatRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A seat's whole way through a session."""

    session: str
    space: str
    seat: int
    seats: int
    player: str
    """The version that sat there, `<agent>@v<number>`; empty while it is secret."""
    rivals: tuple[str, ...]
    """The other seats' versions, in the order of the seats."""
    turns: tuple[Turn, ...]
    return_milli: int
    """What came of it, in thousandths: a win of two seats 1000, a draw 0, a loss -1000; of more seats
    the share of the others that it beat less the share that beat it; where judges decide, likewise by ranks."""
    margin_milli: int = 0
    """Where scores decide: the winner's lead over this seat on the scores' scale of 0 to 10,000, or
    this winner's lead over the next; 0 where there are no scores."""
    reliability_milli: int = 1_000
    """How often the panel is right on such a margin, for label smoothing; 1000 where rules decide."""


class Questions(Protocol):
    """How an agent's brain asks its model, where it does not ask as the Space does."""

    def ask(
        self, space: Space[Any, Any, Any], state: Any, seat: int, kind: str, system: str
    ) -> Sequence[Message]: ...


class PlainQuestions:
    """The system prompt, then the Space's own words."""

    def ask(
        self, space: Space[Any, Any, Any], state: Any, seat: int, kind: str, system: str
    ) -> Sequence[Message]:
        return (Message("system", system), Message("user", space.prompt(state, seat)))
