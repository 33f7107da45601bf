"""Which decisions to play, each once. Pure.

A seat's view names the open decision again and again: in every update, after a reconnect, after a
restart of the bot. A decision is known by (session, turn, seat, attempt), and so is the action that
answers it: its id is made of just these. Two copies of an answer, from before and after a crash, are
therefore one action to the arena.
"""

from __future__ import annotations

import msgspec

from server.protocol import OpenDecision, SessionView


class Duty(msgspec.Struct, frozen=True):
    """One decision that our seat owes."""

    session: str
    turn: int
    seat: int
    attempt: int

    @property
    def act_id(self) -> str:
        """The action's id on the wire; at most 64 characters for a session id of up to 48."""
        return f"{self.session}:{self.turn}:{self.seat}:{self.attempt}"


class Duties:
    """What has been taken up in the sessions that are followed."""

    def __init__(self) -> None:
        self._taken: dict[str, tuple[int, int]] = {}

    def due(self, view: SessionView) -> tuple[Duty, OpenDecision] | None:
        """The decision to play now; taken with this call, so never returned twice.

        An older view than one seen before gives nothing: (turn, attempt) only ever rises.
        """
        decision = open_decision(view)
        if decision is None:
            return None
        key = (view.turn, decision.attempt)
        if key <= self._taken.get(view.session, (-1, 0)):
            return None
        self._taken[view.session] = key
        return Duty(view.session, view.turn, decision.seat, decision.attempt), decision

    def forget(self, session: str) -> None:
        """The session is over."""
        self._taken.pop(session, None)


def open_decision(view: SessionView) -> OpenDecision | None:
    """The decision that the view's seat owes, or None."""
    if view.status != "live" or view.you is None:
        return None
    for decision in view.decisions:
        if decision.seat == view.you and not decision.done:
            return decision
    return None


def still_open(view: SessionView, duty: Duty) -> bool:
    """Whether an answer to `duty` would still count, as far as this view knows."""
    decision = open_decision(view)
    return decision is not None and (view.turn, decision.attempt) == (duty.turn, duty.attempt)
