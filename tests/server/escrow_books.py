"""Owners with money in an escrow that nobody has deployed: what the chain's logs would write is written here."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import unix_ms
from server.identity import Identity, new_id
from server.ledger import names
from server.live.records import SessionRecord, TicketRecord
from server.store import Store
from server.store.escrow import escrow_limits, escrow_owner, escrow_session
from tests.server.money_world import TIER, deposit, session_of, ticket_of

FOREVER_S = 4_000_000_000
PLENTY = 1_000 * TIER
OPENED_BY = "0x" + "ab" * 32
"""The transaction that opens everything here."""


def wallet_of(number: int) -> str:
    return f"0x{number:040x}"


class Books:
    """What the mirror keeps, of a store that was opened with `escrowed`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._wallets = 0
        self._limits = 0

    async def owner(self, name: str, micros: int = 10 * TIER, *, limits: bool = True) -> Identity:
        """A new agent of a new owner, who has deposited `micros` and given them to it."""
        agent, _ = await self.store.agents.register(name)
        self._wallets += 1
        wallet = wallet_of(self._wallets)
        await self.store.accounts.bind(agent.owner, wallet)
        if micros:
            await self.deposited(wallet, micros)
            await self.store.ledger.require([deposit(names.agent("usdc", agent.agent), micros)])
        if limits:
            await self.limits(wallet)
        return agent

    async def wallet(self, agent: Identity) -> str:
        account = await self.store.accounts.get(agent.owner)
        assert account is not None
        assert account.wallet is not None
        return account.wallet

    async def deposited(self, wallet: str, micros: int) -> None:
        async with self.store.database.writing() as tx:
            row = {"wallet": wallet, "balance_micros": micros, "claimed_micros": 0}
            insert = self.store.database.insert(escrow_owner).values(**row, leaving_micros=0)
            more = {"balance_micros": escrow_owner.c.balance_micros + micros}
            await tx.execute(insert.on_conflict_do_update(index_elements=["wallet"], set_=more))

    async def limits(
        self, wallet: str, *, entry: int = PLENTY, day: int = PLENTY, expires_s: int = FOREVER_S
    ) -> None:
        self._limits += 1
        async with self.store.database.writing() as tx:
            await tx.execute(
                escrow_limits.insert().values(
                    wallet=wallet,
                    number=self._limits // 2,
                    log_index=self._limits,
                    max_entry_micros=entry,
                    daily_cap_micros=day,
                    expires_s=expires_s,
                )
            )

    async def balance(self, wallet: str) -> int:
        query = select(escrow_owner.c.balance_micros).where(escrow_owner.c.wallet == wallet)
        async with self.store.database.reading() as tx:
            return int(await tx.scalar(query) or 0)

    async def queue(self, agent: Identity, tier: int = TIER) -> TicketRecord:
        """Hold an entry; raises why it is refused."""
        ticket = ticket_of(agent, tier=tier)
        await self.store.entries.hold(ticket)
        return ticket

    async def form(self, *tickets: TicketRecord, age_ms: int = 0) -> SessionRecord:
        record = session_of(tickets, new_id(), opened_ms=unix_ms() - age_ms)
        return await self.store.sessions.form(record)

    async def match(self, *agents: Identity, age_ms: int = 0) -> SessionRecord:
        """A session of these agents, formed from entries that were held now."""
        return await self.form(*[await self.queue(agent) for agent in agents], age_ms=age_ms)

    async def state(self, session: str) -> str:
        query = select(escrow_session.c.state).where(escrow_session.c.session == session)
        async with self.store.database.reading() as tx:
            return str(await tx.scalar(query))

    async def open(self, record: SessionRecord) -> None:
        """The escrow has taken the entries."""
        async with self.store.database.writing() as tx:
            await self._say(tx, record.session, "open", tx=OPENED_BY)
            for seat in record.seats:
                account = await self.store.accounts.get(seat.owner)
                assert account is not None
                taken = {"balance_micros": escrow_owner.c.balance_micros - record.tier_micros}
                mine = escrow_owner.c.wallet == account.wallet
                await tx.execute(update(escrow_owner).where(mine).values(**taken))

    async def refuse(self, session: str, reason: str) -> None:
        async with self.store.database.writing() as tx:
            await self._say(tx, session, "refused", reason=reason)

    async def count(self) -> int:
        async with self.store.database.reading() as tx:
            return int(await tx.scalar(select(func.count()).select_from(escrow_session)) or 0)

    async def _say(self, on: AsyncConnection, session: str, state: str, **columns: str) -> None:
        which = escrow_session.c.session == session
        await on.execute(update(escrow_session).where(which).values(state=state, **columns))
