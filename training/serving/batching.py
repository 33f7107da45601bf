"""Whose turn it is, where requests for many adapters wait for one server. Pure; the clock is an argument, in unix ms.

A server that computes one adapter at a time (llama.cpp) or few (vLLM) is slow when it changes at every word. So the
adapter in hand is preferred, for a bounded number of requests and a bounded time while others wait; then the one whose
request has waited longest comes to hand. A place that is free is never kept free.
"""

from __future__ import annotations

import msgspec

MOST = 16
"""Requests of one adapter in a row, while others wait."""
MOST_MS = 5_000
"""And how long it is preferred."""


class _Hold(msgspec.Struct):
    since_ms: int
    started: int = 0


class Batches:
    """Requests by ticket, a number that is used once."""

    def __init__(
        self, at_once: int, together: int = 1, most: int = MOST, most_ms: int = MOST_MS
    ) -> None:
        """`at_once`: requests that the server answers at the same time; `together`: adapters that it computes in one batch."""
        self._at_once = at_once
        self._together = together
        self._most = most
        self._most_ms = most_ms
        self._waiting: dict[int, str] = {}
        """Ticket -> adapter, in the order in which they came."""
        self._running: set[int] = set()
        self._hand: dict[str, _Hold] = {}
        """Adapters that are preferred, the longest held first."""

    def wait(self, ticket: int, name: str) -> None:
        """A request has come."""
        self._waiting[ticket] = name

    def leave(self, ticket: int) -> None:
        """It was answered, or its sender has gone, also before its turn. Idempotent."""
        self._waiting.pop(ticket, None)
        self._running.discard(ticket)

    def start(self, now_ms: int) -> list[int]:
        """Whose turn it is now; each of them runs until it leaves."""
        begun: list[int] = []
        while self._waiting and len(self._running) < self._at_once:
            ticket = self._next(now_ms)
            self._hand[self._waiting.pop(ticket)].started += 1
            self._running.add(ticket)
            begun.append(ticket)
        return begun

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def _next(self, now_ms: int) -> int:
        for ticket, name in self._waiting.items():
            if name in self._hand and self._preferred(self._hand[name], now_ms):
                return ticket
        ticket, name = next(iter(self._waiting.items()))
        self._hand.pop(name, None)  # its time was over, and it is its turn again
        self._hand[name] = _Hold(now_ms)
        while len(self._hand) > self._together:
            del self._hand[next(iter(self._hand))]
        return ticket

    def _preferred(self, hold: _Hold, now_ms: int) -> bool:
        return hold.started < self._most and now_ms - hold.since_ms < self._most_ms
