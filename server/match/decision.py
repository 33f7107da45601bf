"""One open decision with its clock and its faults; one open inquiry with its clock."""

from __future__ import annotations

import msgspec

from spaces.space import Decision, Inquiry

MAX_ATTEMPTS = 2
"""One retry, then the Space's forfeit rule (DESIGN, section 4)."""


class Open(msgspec.Struct, frozen=True):
    """A seat owes an answer, or has just given or forfeited it (`done`)."""

    decision: Decision
    deadline_ms: int
    """Unix milliseconds, as `opened_ms`."""
    opened_ms: int
    """When the seat was asked: what it needed counts from here, also over a retry. After an outage
    of ours this moves on by what the outage took, so that none is ever counted against the seat."""
    attempt: int = 1
    done: bool = False
    fault: str | None = None
    """Why the first attempt did not count."""
    public_deadline_ms: int | None = None
    """Set when that fault is known to the seat alone, since what it says could tell of a sealed
    action: the deadline that all others go on seeing."""

    @property
    def seat(self) -> int:
        return self.decision.seat

    def finished(self) -> Open:
        return msgspec.structs.replace(self, done=True)

    def anew(self, deadline_ms: int, opened_ms: int) -> Open:
        """With fresh time."""
        public_ms = None if self.public_deadline_ms is None else deadline_ms
        return msgspec.structs.replace(
            self, deadline_ms=deadline_ms, opened_ms=opened_ms, public_deadline_ms=public_ms
        )

    def too_late(self, now_ms: int) -> bool:
        """The world may have told the answer by now."""
        not_after_ms = self.decision.not_after_ms
        return not_after_ms is not None and now_ms > not_after_ms

    def has_no_time(self, now_ms: int, retry_ms: int) -> bool:
        """What is left before the answer is known is less than even a retry gets, so that a seat
        which is asked now, not by its own fault, could not be blamed for its silence."""
        least_ms = min(self.decision.time_limit_ms, retry_ms)
        return capped(self.decision, now_ms + least_ms) < now_ms + least_ms

    def elapsed_ms(self, now_ms: int) -> int:
        """What the seat has needed so far. Hosts' clocks differ a little: never less than 0."""
        return max(0, now_ms - self.opened_ms)

    def faulted(self, reason: str, now_ms: int, retry_ms: int, *, hidden: bool) -> Open:
        """The retry: the time that is left, at least `retry_ms` unless the answer is known sooner."""
        return msgspec.structs.replace(
            self,
            deadline_ms=max(self.deadline_ms, capped(self.decision, now_ms + retry_ms)),
            attempt=self.attempt + 1,
            fault=reason,
            public_deadline_ms=self.deadline_ms if hidden else self.public_deadline_ms,
        )

    def fresh_ms(self, retry_ms: int) -> int:
        """The time it gets when an outage of ours has eaten what it had."""
        limit_ms = self.decision.time_limit_ms
        # Everybody is told of it, so it must not depend on a fault that is hidden.
        return limit_ms if self.seen_by(None)[1] == 1 else max(limit_ms, retry_ms)

    def seen_by(self, viewer: int | None) -> tuple[int, int]:
        """Deadline (unix ms) and attempt, as the seat itself or anybody else may know them."""
        if viewer == self.seat or self.public_deadline_ms is None:
            return self.deadline_ms, self.attempt
        return self.public_deadline_ms, 1


def capped(decision: Decision, deadline_ms: int) -> int:
    """The deadline, or the time at which the answer is known, if that is sooner."""
    if decision.not_after_ms is None:
        return deadline_ms
    return min(deadline_ms, decision.not_after_ms)


class Asked(msgspec.Struct, frozen=True):
    """The oracle owes an answer."""

    number: int
    """Of the inquiry within its session, from 1."""
    inquiry: Inquiry
    """Secret: what is asked may be drawn from the seed."""
    opens_ms: int
    """Unix milliseconds, as `deadline_ms`: the oracle is not asked sooner."""
    deadline_ms: int
