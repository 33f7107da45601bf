"""A seat's turn as a candidate for an example: the question, the answer, and what the session came to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from training.chat import Message
from training.data.selection import Caps, origin_of
from training.trajectory.tokens import said
from training.trajectory.turn import SeatRecord, Turn

FORFEIT = "forfeit"
"""The word of all Spaces for a session that ended since a seat gave no answer that counts."""


class Learners(Caps, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose turns are learnt from."""

    players: tuple[str, ...] = ()
    """Versions; empty: everybody's, since whoever plays better is worth learning from."""
    forfeits: bool = False
    """Whether sessions that a forfeit ended are learnt from: to outlast a rival who falls silent is no skill."""


class Answered(msgspec.Struct, frozen=True):
    turn: Turn
    record: SeatRecord

    @property
    def origin(self) -> str:
        turn = self.turn
        return origin_of(turn.session, turn.seat, turn.number, turn.attempt)

    @property
    def messages(self) -> tuple[Message, ...]:
        return self.turn.messages

    @property
    def answer(self) -> tuple[str, ...]:
        return (self.turn.completion,)


def answered(records: Iterable[SeatRecord], who: Learners) -> Iterator[Answered]:
    """Every turn whose words are known, of the seats that are learnt from."""
    for record in records:
        if who.players and record.player not in who.players:
            continue
        if record.termination == FORFEIT and not who.forfeits:
            continue
        yield from (Answered(turn, record) for turn in said(record))
