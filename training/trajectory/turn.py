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
    """What it answered; empty for a fault whose words nobody kept, as transcripts do not."""
    legal: bool
    """Whether the rules took it."""
    reason: str = ""
    """Why they did not."""


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
    score_milli: int | None = None
    """Where judges decide: the panel's total, 0 to 10,000; None where there are no scores."""
    seed: str = ""
    """Of the session, in hex; empty where it is not known."""
    termination: str = ""
    """The rules' word for how it ended."""


class Questions(Protocol):
    """How an agent's brain asks its model, where it does not ask as the Space does."""

    @property
    def name(self) -> str:
        """With a version: it stands in the data card."""

    def ask(
        self, space: Space[Any, Any, Any], state: Any, seat: int, kind: str, system: str
    ) -> Sequence[Message]: ...


class PlainQuestions:
    """The system prompt, then the Space's own words."""

    name = "plain"

    def ask(
        self, space: Space[Any, Any, Any], state: Any, seat: int, kind: str, system: str
    ) -> Sequence[Message]:
        return (Message("system", system), Message("user", space.prompt(state, seat)))


def with_fault(messages: Sequence[Message], fault: str | None) -> tuple[Message, ...]:
    """A question that is asked again, in the words that hosted agents hear (`bots.brains.llm`)."""
    if fault is None:
        return tuple(messages)
    last = messages[-1]
    words = f"{last.content}\n\nYour first answer did not count: {fault}"
    return (*messages[:-1], Message(last.role, words))
