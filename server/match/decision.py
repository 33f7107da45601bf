"""One open decision with its clock and its faults."""

from __future__ import annotations

import msgspec

from spaces.space import Decision

MAX_ATTEMPTS = 2
"""One retry, then the Space's forfeit rule (DESIGN, section 4)."""


class Open(msgspec.Struct, frozen=True):
    """A seat owes an answer, or has just given or forfeited it (`done`)."""

    decision: Decision
    deadline_ms: int
    """Unix milliseconds."""
    attempt: int = 1
    done: bool = False
    fault: str | None = None
    """Why the first attempt did not count."""
    hidden_fault: bool = False
    """That fault is known to the seat alone: what it says could tell of a sealed action."""

    @property
    def seat(self) -> int:
        return self.decision.seat

    def finished(self) -> Open:
        return msgspec.structs.replace(self, done=True)

    def until(self, deadline_ms: int) -> Open:
        return msgspec.structs.replace(self, deadline_ms=deadline_ms)

    def faulted(self, reason: str, now_ms: int, retry_ms: int, *, hidden: bool) -> Open:
        """The retry: the time that is left, at least `retry_ms`."""
        return msgspec.structs.replace(
            self,
            deadline_ms=max(self.deadline_ms, now_ms + retry_ms),
            attempt=self.attempt + 1,
            fault=reason,
            hidden_fault=self.hidden_fault or hidden,
        )

    def fresh_ms(self, retry_ms: int) -> int:
        """The time it gets when an outage of ours has eaten what it had."""
        limit_ms = self.decision.time_limit_ms
        return limit_ms if self.attempt == 1 else max(limit_ms, retry_ms)

    def public_attempt(self) -> int:
        return 1 if self.hidden_fault else self.attempt
