"""What the escrow has of one owner, for that owner: the purse that admission reckons by, and what is leaving or owed."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select

from server.clock import Clock
from server.escrow_room import Purse
from server.ledger import names, tiers
from server.store import escrow_room, money, schema
from server.store.engine import Database
from server.store.escrow import escrow_debt, escrow_owner

_o, _d, _agent, _l = escrow_owner, escrow_debt, schema.agent, money.ledger_account


class EscrowAccount(msgspec.Struct, frozen=True):
    purse: Purse
    claimed_micros: int
    """Paid by epochs into the balance, since the beginning."""
    leaving_micros: int
    """Asked back and not taken yet."""
    debt_micros: int
    """What the chain has taken, or will, and the ledger could not reserve yet."""
    ledger_micros: int
    """USDC in the purses of the owner and of its agents, less what is held."""

    @property
    def awaiting_micros(self) -> int:
        """Won, or given back by sessions that were void, and not in the escrow's balance yet."""
        ours = self.ledger_micros + self.purse.unopened_micros
        return max(0, ours - self.purse.balance_micros)


class EscrowAccounts:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def of(self, account: str) -> EscrowAccount | None:
        """None for an account without a wallet. Not locked: it may be old when it is read."""
        agents = select(names.agent(tiers.USDC, "") + _agent.c.id).where(_agent.c.owner == account)
        purses = (_l.c.id == names.owner(tiers.USDC, account)) | _l.c.id.in_(agents)
        available = _l.c.credits_posted - _l.c.debits_posted - _l.c.debits_pending
        debt = select(func.coalesce(func.sum(_d.c.micros - _d.c.reserved_micros), 0)).where(
            _d.c.account == account, _d.c.state == "open"
        )
        async with self._db.reading() as tx:
            purse = (await escrow_room.look(tx, [account], self._clock())).get(account)
            if purse is None:
                return None
            row = (await tx.execute(select(_o).where(_o.c.wallet == purse.wallet))).one_or_none()
            owed = await tx.scalar(debt)
            ledger = await tx.scalar(select(func.coalesce(func.sum(available), 0)).where(purses))
        return EscrowAccount(
            purse=purse,
            claimed_micros=0 if row is None else row.claimed_micros,
            leaving_micros=0 if row is None else row.leaving_micros,
            debt_micros=int(owed or 0),
            ledger_micros=int(ledger or 0),
        )
