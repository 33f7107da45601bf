"""The waiting tickets of one queue, and the forming of proposals from them.

The rules, in the order in which they bind:

1. An agent waits once; in a paid tier no two seats of a session belong to one owner (in the free
   tier they may, so that anybody can try two of their own agents against each other).
2. All seats of a session accept each other pairwise (`window.Waiting.accepts`), except that a ticket
   whose patience has run out takes the nearest, whatever the windows.
3. Who came first chooses first: the nearest band of ratings, in it the widest window.

For two seats this finds a match whenever two tickets accept each other. For more seats the search is
greedy, so it may overlook a group; the patience of its oldest member bounds how long.

Tickets lie in bands of 250 thousandths, each sorted by width of window, beside one list in order of
joining. A search touches a few bands, an insertion costs two bisections. Everything is decided by
tickets and the clock value, so equal calls give equal proposals.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterator

import msgspec

from server.live.records import TicketRecord
from server.matchmaking.window import Waiting, Window

BAND_MILLI = 250
"""Ratings closer than this are as good as equal: an eighth of the tightest window."""
SCAN = 500
"""Tickets that one `form` lets choose: bounds its time in a pool where nobody fits (some 50 ms at 50,000 tickets)."""


class Proposal(msgspec.Struct, frozen=True):
    """Tickets that should play each other, the longest waiting first."""

    tickets: tuple[TicketRecord, ...]


class Pool:
    """The tickets of one queue. `seats` >= 2; `paid` turns the owners' rule on."""

    def __init__(self, seats: int, *, paid: bool, rule: Window | None = None) -> None:
        if seats < 2:
            raise ValueError(f"a match needs at least 2 seats, got {seats}")
        self.seats = seats
        self.paid = paid
        self.rule = rule or Window()
        self._waiting: dict[str, Waiting] = {}
        self._agents: set[str] = set()
        self._owners: Counter[str] = Counter()
        self._order: list[tuple[int, str]] = []
        self._bands: dict[int, _Band] = {}
        self._band_ids: list[int] = []
        self._resume: tuple[int, str] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, ticket: str) -> bool:
        return ticket in self._waiting

    def add(self, ticket: TicketRecord) -> bool:
        """Let a ticket wait; False, and no change, when it or its agent waits already."""
        if ticket.ticket in self._waiting or ticket.agent in self._agents:
            return False
        waiting = Waiting(ticket, ticket.mu_milli // BAND_MILLI, self.rule)
        self._waiting[ticket.ticket] = waiting
        self._agents.add(ticket.agent)
        self._owners[ticket.owner] += 1
        insort(self._order, waiting.order)
        band = self._bands.get(waiting.band)
        if band is None:
            band = self._bands[waiting.band] = _Band()
            insort(self._band_ids, waiting.band)
        band.add(waiting)
        return True

    def remove(self, ticket: str) -> TicketRecord | None:
        """Take a ticket out; None when it does not wait here."""
        waiting = self._waiting.get(ticket)
        if waiting is None:
            return None
        self._forget(waiting)
        return waiting.ticket

    def form(self, now_ms: int, limit: int = 256) -> list[Proposal]:
        """Match what can be matched now, at most `limit` sessions; their tickets leave the pool.

        At most `SCAN` tickets choose in one call; where more wait, the next call goes on with those
        that follow, and after the last begins with the oldest again.
        """
        start = bisect_right(self._order, self._resume) if self._resume is not None else 0
        choosers = self._order[start : start + SCAN]
        self._resume = choosers[-1] if start + SCAN < len(self._order) else None
        proposals: list[Proposal] = []
        for key in choosers:
            chooser = self._waiting.get(key[1])
            if chooser is None:
                continue  # chosen by an older one a moment ago
            group = self.group(chooser, now_ms)
            if group is None:
                continue
            for member in group:
                self._forget(member)
            group.sort(key=lambda member: member.order)
            proposals.append(Proposal(tuple(member.ticket for member in group)))
            if len(proposals) == limit:
                self._resume = key
                break
        return proposals

    def group(self, chooser: Waiting, now_ms: int) -> list[Waiting] | None:
        """The seats `chooser` would get now, itself first, or None."""
        hurried = chooser.hurried(now_ms)
        chosen = [chooser]
        for other in self._near(chooser, now_ms):
            if self.paid and any(other.owner == member.owner for member in chosen):
                continue
            # the candidates of _near accept the chooser; those chosen since must be asked, too
            if not hurried and not all(other.accepts(member, now_ms) for member in chosen[1:]):
                continue
            chosen.append(other)
            if len(chosen) == self.seats:
                return chosen
        return None

    def find(self, ticket: str) -> Waiting | None:
        return self._waiting.get(ticket)

    def oldest_ms(self) -> int | None:
        """Since when (unix) the longest waiting ticket waits; None in an empty pool."""
        return self._order[0][0] if self._order else None

    def position(self, waiting: Waiting) -> int:
        """1 is the longest waiting."""
        return bisect_left(self._order, waiting.order) + 1

    def owners(self) -> int:
        """How many owners have tickets here."""
        return len(self._owners)

    def by_distance(self, chooser: Waiting) -> Iterator[tuple[int, list[Waiting]]]:
        """The bands, nearest first: the least gap to any rating in them, and their tickets by
        width of window. Bands of the chooser's owner alone are left out where owners count."""
        ids, bands = self._band_ids, self._bands
        left = bisect_right(ids, chooser.band) - 1
        right = left + 1
        while left >= 0 or right < len(ids):
            below = chooser.rating - (ids[left] + 1) * BAND_MILLI + 1 if left >= 0 else None
            above = ids[right] * BAND_MILLI - chooser.rating if right < len(ids) else None
            if above is None or (below is not None and below <= above):
                assert below is not None
                gap, band = max(0, below), bands[ids[left]]
                left -= 1
            else:
                gap, band = above, bands[ids[right]]
                right += 1
            if not (self.paid and band.owners[chooser.owner] == len(band.tickets)):
                yield gap, band.tickets

    def _near(self, chooser: Waiting, now_ms: int) -> Iterator[Waiting]:
        """Who accepts the chooser and is accepted by it, nearest band first."""
        hurried = chooser.hurried(now_ms)
        window = chooser.window(now_ms)
        start = self.rule.start_milli
        for least, tickets in self.by_distance(chooser):
            if least > window and not hurried:
                return
            for other in tickets:
                if other is chooser:
                    continue
                if not hurried:
                    if least > start and other.window(now_ms) < least:
                        break  # the rest of the band has tighter windows still
                    if not chooser.accepts(other, now_ms):
                        continue
                yield other

    def _forget(self, waiting: Waiting) -> None:
        """Out of every structure."""
        del self._waiting[waiting.ticket.ticket]
        del self._order[bisect_left(self._order, waiting.order)]
        self._agents.discard(waiting.ticket.agent)
        self._owners[waiting.owner] -= 1
        if not self._owners[waiting.owner]:
            del self._owners[waiting.owner]
        band = self._bands[waiting.band]
        band.remove(waiting)
        if not band.tickets:
            del self._bands[waiting.band]
            del self._band_ids[bisect_left(self._band_ids, waiting.band)]


class _Band:
    """The tickets of one band, the widest window first, and how many each owner has of them."""

    __slots__ = ("_widths", "owners", "tickets")

    def __init__(self) -> None:
        self.tickets: list[Waiting] = []
        self._widths: list[tuple[int, str]] = []
        self.owners: Counter[str] = Counter()

    def add(self, waiting: Waiting) -> None:
        at = bisect_left(self._widths, waiting.width)
        self._widths.insert(at, waiting.width)
        self.tickets.insert(at, waiting)
        self.owners[waiting.owner] += 1

    def remove(self, waiting: Waiting) -> None:
        at = bisect_left(self._widths, waiting.width)
        del self._widths[at]
        del self.tickets[at]
        self.owners[waiting.owner] -= 1
        if not self.owners[waiting.owner]:
            del self.owners[waiting.owner]
