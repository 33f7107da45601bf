"""A match that was played: what each seat was asked and said, and what came of it. Pure."""

from __future__ import annotations

import msgspec

from spaces.space import Outcome
from training.chat import Message
from training.play.ask import Said
from training.trajectory.returns import return_milli as return_milli
from training.trajectory.turn import SeatRecord, Turn


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One question, its answer, and whether the rules took it."""

    seat: int
    number: int
    """Of the turn, from 1 on."""
    kind: str
    attempt: int
    """1, or 2 for the one retry."""
    messages: tuple[Message, ...]
    said: Said
    legal: bool
    reason: str = ""
    """Why it was refused."""
    choices: tuple[str, ...] | None = None
    """The legal answers, where they could be counted up."""


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """A whole match."""

    match: str
    """Tells it from every other one of its run."""
    space: str
    seed: bytes
    seating: tuple[str, ...]
    """The players' names, by seat."""
    attempts: tuple[Attempt, ...]
    """In the order in which they were made; of one tick by seat."""
    outcome: Outcome

    @property
    def returns(self) -> tuple[int, ...]:
        """By seat. Raises ValueError where judges decide."""
        if self.outcome.returns is None:
            raise ValueError(f"a match of {self.space} has no returns: judges decide")
        return self.outcome.returns

    def of_seat(self, seat: int) -> tuple[Attempt, ...]:
        return tuple(each for each in self.attempts if each.seat == seat)

    def score(self, seat: int) -> float:
        """1 for a seat that nobody beat or equalled, 0 for one that all others beat, and between them the
        share of the others that it beat, equals counting half."""
        return (1_000 + return_milli(self.returns, seat)) / 2_000

    def records(self) -> tuple[SeatRecord, ...]:
        """The match as the data room reads transcripts."""
        return tuple(self._record(seat) for seat in range(len(self.seating)))

    def _record(self, seat: int) -> SeatRecord:
        session = f"play:{self.match}"
        return SeatRecord(
            session=session,
            space=self.space,
            seat=seat,
            seats=len(self.seating),
            player=self.seating[seat],
            rivals=(*self.seating[:seat], *self.seating[seat + 1 :]),
            turns=tuple(_turn(session, each) for each in self.of_seat(seat)),
            return_milli=return_milli(self.returns, seat),
            seed=self.seed.hex(),
            termination=self.outcome.termination,
        )


def _turn(session: str, made: Attempt) -> Turn:
    return Turn(
        session=session,
        seat=made.seat,
        number=made.number,
        kind=made.kind,
        attempt=made.attempt,
        messages=made.messages,
        completion=made.said.text,
        legal=made.legal,
        reason=made.reason,
    )
