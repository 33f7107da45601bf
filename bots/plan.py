"""How a bot gets into sessions: what to ask of the queue, given what it was told. Pure.

One agent has at most one ticket per Space and tier, so a bot that plays several sessions at once
queues again as soon as it is seated. The agent's own view is the truth about seats and offers; a
ticket is asked about every few seconds, which also tells people why they wait.
"""

from __future__ import annotations

from server.protocol import AgentView, Confirm, Dequeue, Enqueue, Error, Explain, Ticket

EXPLAIN_EVERY_MS = 5_000
FIRST_VIEW_MS = 2_000
"""After a welcome, wait this long for the agent's view before queueing without it: a new agent may
have none, and one that was seated before must not queue for more than it wants."""
ASK_AGAIN_MS = 5_000
"""After `already-queued`, when nobody has told us the ticket."""
OFFER_GRACE_MS = 1_000
"""An offer is forgotten this long after its deadline, whatever the agent's view says: clocks differ,
and the arena looks at its own a few times a second."""
CLAIM_AGAIN_MS = 15_000
"""After `awaiting-claim`: what was won is paid with the next epoch, a minute or so away. After `too-few-judges`, too."""
OPENING_MAX_MS = 1_200_000
"""A match that the chain has not opened after this long will not begin, whatever the agent's view says."""
NEVER_MS = 2**62
FATAL = frozenset(
    {
        "unknown-space",
        "tier-closed",
        "forbidden",
        "not-playing",
        "other-player",
        "limit-reached",
        "unfunded",
        "no-wallet",
        "not-deposited",
        "limits-missing",
        "limit-entry",
        "limit-day",
        "limit-expired",
    }
)

Wish = Enqueue | Dequeue | Confirm | Explain


class Plan:
    """Wants `sessions` sessions in all (None: without end), `max_parallel` of them at once."""

    def __init__(
        self,
        space: str | None,
        tier_micros: int = 0,
        sessions: int | None = 1,
        max_parallel: int = 1,
        *,
        enqueue: bool = True,
    ) -> None:
        """`enqueue`: ask for sessions; else take what comes and is not one's own asking, e.g. a tournament's
        seats and the offers to tickets of the agent's automation, in any tier; `space` may be None then:
        in any Space."""
        assert space is not None or not enqueue, "there is no queue for all Spaces"
        if max_parallel < 1 or (sessions is not None and sessions < 1):
            raise ValueError(f"sessions={sessions}, max_parallel={max_parallel}: at least 1 each")
        self._space = space
        self._tier = tier_micros
        self._sessions = sessions
        self._max_parallel = max_parallel
        self._enqueue = enqueue
        self._live: set[str] = set()
        self._over: set[str] = set()
        self._opening: dict[str, int] = {}
        """Matches that wait for the chain, with the time, on our clock, at which each is forgotten."""
        self._ended = 0
        self._ticket: str | None = None
        self._asked = False
        self._not_before_ms = NEVER_MS
        self._explain_ms = 0
        self._offers: dict[str, int] = {}
        """With the time, on our clock, at which each is forgotten."""
        self._dead_offers: set[str] = set()
        self._confirmed: set[str] = set()
        self._unknown_tickets: list[str] = []
        self._others: set[str] = set()
        """Tickets in the view that are gone, or were taken for another queue: nothing to wait for."""
        self._stopping = False
        self._leaving: str | None = None
        self.fatal: Error | None = None
        """A refusal that makes waiting pointless."""

    # ------------------------------------------------------------------ what was heard

    def welcomed(self, now: int) -> None:
        """A new connection: what was asked on the last one may have been lost."""
        self._asked = False
        self._leaving = None
        self._confirmed.clear()
        self._explain_ms = 0
        self._not_before_ms = now + FIRST_VIEW_MS

    def agent_view(self, view: AgentView, now: int, ahead_ms: int = 0) -> list[str]:
        """Take the agent's view; the sessions in which we have newly been seated.

        `ahead_ms`: the arena's clock, on which offers expire, minus ours.
        """
        self._not_before_ms = min(self._not_before_ms, now)
        self._dead_offers.intersection_update(offer.offer for offer in view.offers)
        self._offers = {
            offer.offer: offer.expires_ms - ahead_ms + OFFER_GRACE_MS
            for offer in view.offers
            if self._plays(offer.space)
            and (offer.tier_micros == self._tier or not self._enqueue)
            and offer.offer not in self._dead_offers
        }
        self._forget_expired(now)
        self._confirmed.intersection_update(self._offers)
        seated = [s.session for s in view.seated if self._plays(s.space)]
        fresh = [s for s in seated if s not in self._live and s not in self._over]
        self._live.update(fresh)
        opening = {
            each.session: each.since_ms - ahead_ms + OPENING_MAX_MS
            for each in view.opening
            if self._plays(each.space) and each.session not in self._over
        }
        made = opening.keys() - self._opening.keys()
        self._opening = opening
        self._forget_unopened(now)
        if (fresh or made) and self._ticket not in view.tickets:
            self._ticket = None
        self._over.intersection_update(seated)  # the arena has noticed, too
        self._others.intersection_update(view.tickets)
        # Tickets that it has not asked for are others' to look after.
        if self._enqueue and self._ticket is None and not self._asked:
            self._unknown_tickets = [t for t in view.tickets if t not in self._others]
        return fresh

    def ticket(self, ticket: Ticket, now: int) -> bool:
        """Take a ticket's standing; True when it is this bot's."""
        if ticket.ticket in self._unknown_tickets:
            self._unknown_tickets.remove(ticket.ticket)
        if (ticket.space, ticket.tier_micros) != (self._space, self._tier):
            self._others.add(ticket.ticket)
            return False
        self._asked = False
        if ticket.state in ("waiting", "offered"):
            self._ticket = ticket.ticket
            self._explain_ms = now + EXPLAIN_EVERY_MS
        else:
            self._lose(ticket.ticket)
        return True

    def error(self, error: Error, now: int) -> None:
        match error.code:
            case "unknown-ticket":
                self._lose(error.ref or self._ticket)
            case "unknown-offer":
                self._offers.pop(error.ref, None)
                self._dead_offers.add(error.ref)
            case "already-queued":
                self._asked = False
                self._not_before_ms = now + ASK_AGAIN_MS
                if error.ref and error.ref != self._space:
                    self._unknown_tickets = [error.ref]
            case "awaiting-claim" | "too-few-judges":
                self._asked = False
                self._not_before_ms = now + CLAIM_AGAIN_MS
            case code if code in FATAL and self._asked and error.ref in self._enqueue_refs():
                self.fatal = error

    def session_over(self, session: str, *, counts: bool) -> None:
        """A session of ours ended; a void one does not count."""
        if session in self._live:
            self._live.discard(session)
            self._over.add(session)
            self._ended += counts

    def stop(self) -> None:
        """Play what is live to its end, start nothing new."""
        self._stopping = True

    # ------------------------------------------------------------------ what to do

    @property
    def live(self) -> frozenset[str]:
        return frozenset(self._live)

    @property
    def opening(self) -> frozenset[str]:
        """Matches of ours that are made and wait for the chain to take their entries."""
        return frozenset(self._opening)

    @property
    def ended(self) -> int:
        return self._ended

    @property
    def done(self) -> bool:
        """Nothing is live, and nothing more will come."""
        if self._live or self._opening or (self._stopping and (self._asked or self._ticket)):
            return False
        return self._stopping or (self._sessions is not None and self._ended >= self._sessions)

    def wishes(self, now: int) -> list[Wish]:
        """What to ask the arena for now. Each wish is returned once, so send them all."""
        self._forget_expired(now)
        self._forget_unopened(now)
        if self._stopping:
            if self._ticket is None or self._ticket == self._leaving:
                return []
            self._leaving = self._ticket
            return [Dequeue(ticket=self._ticket)]
        wishes: list[Wish] = [Confirm(offer=o) for o in self._offers if o not in self._confirmed]
        self._confirmed.update(self._offers)
        if self._explain_ms <= now and (self._ticket or self._unknown_tickets):
            self._explain_ms = now + EXPLAIN_EVERY_MS
            tickets = [self._ticket] if self._ticket else self._unknown_tickets
            wishes += [Explain(ticket=ticket) for ticket in tickets]
        if self._wants_ticket() and not self._asked and now >= self._not_before_ms:
            self._asked = True
            assert self._space is not None, "it wants a ticket"
            wishes.append(Enqueue(space=self._space, tier_micros=self._tier))
        return wishes

    def next_wakeup(self, now: int) -> int:
        """When `wishes` may have more to say without further news."""
        times = [now + EXPLAIN_EVERY_MS, *self._offers.values()]
        if self._ticket or self._unknown_tickets:
            times.append(self._explain_ms)
        if self._wants_ticket() and not self._asked:
            times.append(self._not_before_ms)
        return max(now, min(times))

    def _lose(self, ticket: str | None) -> None:
        """The ticket waits no more; a view that still has it is behind, perhaps for ever."""
        if ticket is None:
            return
        self._others.add(ticket)
        if ticket in self._unknown_tickets:
            self._unknown_tickets.remove(ticket)
        if ticket == self._ticket:
            self._ticket = None

    def _forget_expired(self, now: int) -> None:
        """The view may keep them longer, if the arena's matchmaker died before it told us."""
        for offer in [offer for offer, until in self._offers.items() if until <= now]:
            del self._offers[offer]
            self._dead_offers.add(offer)

    def _forget_unopened(self, now: int) -> None:
        for session in [session for session, until in self._opening.items() if until <= now]:
            del self._opening[session]

    def _plays(self, space: str) -> bool:
        return self._space in (None, space)

    def _enqueue_refs(self) -> tuple[str, ...]:
        return "", self._space or "", f"{self._space}/{self._tier}"

    def _wants_ticket(self) -> bool:
        if not self._enqueue or self._ticket is not None or self._unknown_tickets or self._offers:
            return False
        missing = None if self._sessions is None else self._sessions - self._ended
        at_once = self._max_parallel if missing is None else min(self._max_parallel, missing)
        return len(self._live) + len(self._opening) < at_once
