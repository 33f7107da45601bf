"""Sessions that were entered, played, settled and rated through the store, for tests of what is told of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from server import ratings
from server.identity import Identity, new_id
from server.ledger import names
from server.store import Store
from server.store.ratings import RatingRow
from tests.server.money_world import deposit, session_of, ticket_of

FUNDS_MICROS = 1_000_000_000
DOCUMENT = b"{}"
DIGEST = hashlib.sha256(DOCUMENT).hexdigest()


class Clock:
    """Stands until it is moved."""

    def __init__(self, ms: int) -> None:
        self.ms = ms

    def __call__(self) -> int:
        return self.ms


class World:
    """One store, and agents that play in it. `store` was opened with `clock`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock

    async def agent(self, name: str, owner: str | None = None) -> Identity:
        """With more USDC than it needs."""
        agent, _ = await self.store.agents.register(name, owner)
        await self.store.ledger.require([deposit(names.agent("usdc", agent.agent), FUNDS_MICROS)])
        return agent

    async def play(
        self,
        *agents: Identity,
        ranks: Sequence[int] | None = None,
        space: str = "bid-tac-toe",
        tier: int = 100_000,
        entered: bool = True,
        termination: str = "line",
    ) -> str:
        """A session that is settled and rated now; void where `ranks` is None. Not `entered`: nobody paid."""
        tickets = [ticket_of(agent, tier=tier, space=space) for agent in agents]
        if entered:
            for ticket in tickets:
                await self.store.entries.hold(ticket)
        record = session_of(tickets, new_id())
        if not entered:
            seats = tuple(msgspec.structs.replace(seat, ticket=None) for seat in record.seats)
            record = msgspec.structs.replace(record, seats=seats)
        record = msgspec.structs.replace(record, opened_ms=self.clock.ms - 60_000)
        await self.store.sessions.form(record)
        outcome = {"reason": "host lost"} if ranks is None else {"termination": termination}
        await self._seal(record.session, "void" if ranks is None else "ended", outcome)
        if ranks is None:
            await self.store.results.void(record.session, "host lost")
        else:
            await self.store.results.settle(record.session, ranks, [1_000 * (9 - r) for r in ranks])
            await self._rate(record.session, space, agents, ranks)
        return record.session

    async def _seal(
        self, session: str, status: Literal["ended", "void"], outcome: dict[str, Any]
    ) -> None:
        await self.store.sessions.seal(
            session=session,
            status=status,
            outcome=outcome,
            document=DOCUMENT,
            digest=DIGEST,
            steps=(),
            now_ms=self.clock.ms,
        )

    async def _rate(
        self, session: str, space: str, agents: Sequence[Identity], ranks: Sequence[int]
    ) -> None:
        before = [await self.store.ratings.standpoint(each.version, space) for each in agents]
        after = ratings.update(ranks, [each.rating for each in before])
        moves = [
            RatingRow(
                version=agent.version,
                mu_milli=now.mu_milli,
                sigma_milli=now.sigma_milli,
                was_mu_milli=was.rating.mu_milli,
                was_sigma_milli=was.rating.sigma_milli,
                number=was.sessions + 1,
            )
            for agent, was, now in zip(agents, before, after, strict=True)
        ]
        await self.store.ratings.apply(session, space, moves)
