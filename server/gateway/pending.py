"""Actions on their way to a host, from the first submission to the answer. Pure.

A host may die with its inbox, so what stays unanswered is sent again; the action's id makes a
second copy harmless. Whoever sends the same id again just waits along.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from server.live.records import Inbound

RETRY_S = 0.5
GIVE_UP_S = 15.0
"""Longer than a host's lease lasts, so that a take-over answers within it."""

MAX_OF_SEAT = 16
"""Actions of one seat that may wait at the same time; it can decide but one thing at once."""

P = TypeVar("P")


class TooMany(Exception):
    """The seat keeps sending without waiting for answers."""


class Waiting(Generic[P]):
    """One unanswered action."""

    __slots__ = ("askers", "give_up_at", "inbound", "retry_at")

    def __init__(self, inbound: Inbound, now: float) -> None:
        self.inbound = inbound
        self.askers: list[P] = []
        self.retry_at = now + RETRY_S
        self.give_up_at = now + GIVE_UP_S


class Pending(Generic[P]):
    """All unanswered actions of a gateway; `P` is who asks. Times are seconds of a steady clock."""

    def __init__(self) -> None:
        self._sessions: dict[str, dict[tuple[int, str], Waiting[P]]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, inbound: Inbound, asker: P, now: float) -> bool:
        """Wait for the answer; True when the action is new and is to be submitted.

        Raises TooMany.
        """
        session = self._sessions.setdefault(inbound.session, {})
        waiting = session.get((inbound.seat, inbound.act))
        fresh = waiting is None
        if waiting is None:
            if sum(seat == inbound.seat for seat, _ in session) >= MAX_OF_SEAT:
                raise TooMany(f"{MAX_OF_SEAT} actions of seat {inbound.seat} wait for an answer")
            waiting = session[inbound.seat, inbound.act] = Waiting(inbound, now)
            self._count += 1
        if asker not in waiting.askers:
            waiting.askers.append(asker)
        return fresh

    def answered(self, session: str, seat: int, act: str) -> Waiting[P] | None:
        """Take out the action that has just been answered, if it is ours."""
        actions = self._sessions.get(session)
        waiting = None if actions is None else actions.pop((seat, act), None)
        if waiting is None:
            return None
        self._count -= 1
        if not actions:
            del self._sessions[session]
        return waiting

    def of(self, session: str) -> list[Waiting[P]]:
        return list(self._sessions.get(session, {}).values())

    def due(self, now: float) -> list[Inbound]:
        """What is to be submitted again now."""
        due: list[Inbound] = []
        for waiting in self._all():
            if waiting.retry_at <= now:
                waiting.retry_at = now + RETRY_S
                due.append(waiting.inbound)
        return due

    def expired(self, now: float) -> list[Waiting[P]]:
        """Take out what nobody has answered for GIVE_UP_S."""
        gone = [waiting for waiting in self._all() if waiting.give_up_at <= now]
        for waiting in gone:
            inbound = waiting.inbound
            self.answered(inbound.session, inbound.seat, inbound.act)
        return gone

    def _all(self) -> Iterator[Waiting[P]]:
        return (w for actions in list(self._sessions.values()) for w in list(actions.values()))
