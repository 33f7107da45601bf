"""How far apart two ratings may be, and how that widens with waiting.

Ratings are `mu` in thousandths, as openskill counts (a newcomer has 25_000 and sigma 8_333). A
window starts at `start_milli`, or at the ticket's own sigma where that is larger, since a rating
that is still a guess should not be held against anybody; it widens evenly while the ticket waits.
Two tickets accept each other when their ratings are no further apart than the *tighter* window.
A ticket whose patience has run out accepts whoever is nearest and is accepted by everybody, so a
lonely rating in a busy queue waits a bounded time.
"""

from __future__ import annotations

import msgspec

from server.live.records import TicketRecord


class Window(msgspec.Struct, frozen=True):
    """The rule's numbers."""

    start_milli: int = 2_000
    """Two points: the better one of two settled agents wins about 63 % (beta = 25/6)."""
    per_s_milli: int = 1_000
    """What a second of waiting adds."""
    patience_ms: int = 15_000
    """From here on the nearest will do, however far."""


class Waiting:
    """A ticket in the pool, with what the search needs at hand."""

    __slots__ = ("band", "order", "owner", "rating", "reach", "rule", "ticket", "width")

    def __init__(self, ticket: TicketRecord, band: int, rule: Window) -> None:
        self.ticket = ticket
        self.band = band
        self.owner = ticket.owner
        self.rating = ticket.mu_milli
        base = max(rule.start_milli, ticket.sigma_milli)
        # The window is (reach + now * per_s) / 1000: all windows widen alike, so the order of
        # reaches is the order of windows at any time, and the pool can keep tickets sorted by it.
        self.reach = base * 1_000 - ticket.joined_ms * rule.per_s_milli
        self.rule = rule
        # Both orders are total: the id decides between equals.
        self.order = (ticket.joined_ms, ticket.ticket)
        """Sorts by who came first."""
        self.width = (-self.reach, ticket.ticket)
        """Sorts by the widest window first."""

    def window(self, now_ms: int) -> int:
        """Thousandths of a rating point; never below the start, even if clocks disagree."""
        rule = self.rule
        return max(rule.start_milli, (self.reach + now_ms * rule.per_s_milli) // 1_000)

    def waited(self, now_ms: int) -> int:
        """Milliseconds, at least 0."""
        return max(0, now_ms - self.ticket.joined_ms)

    def hurried(self, now_ms: int) -> bool:
        """Whether its patience has run out."""
        return now_ms - self.ticket.joined_ms >= self.rule.patience_ms

    def accepts(self, other: Waiting, now_ms: int) -> bool:
        """Whether both are within the tighter of their windows (symmetric)."""
        gap = abs(self.rating - other.rating)
        return gap <= self.window(now_ms) and gap <= other.window(now_ms)
