"""Rows of `hold`: what is held for a ticket, and what has become of it.

They are found here and locked in the order of their tickets; they are made, released and spent in `entries`
and `pots`, with the transfers of the ledger that they go with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.ledger import Transfer, entry
from server.store import money

_h = money.hold


class HoldRow(msgspec.Struct, frozen=True):
    ticket: str
    agent: str
    space: str
    tier_micros: int
    asset: str
    micros: int
    state: str
    session: str | None
    run: int | None
    """The automation's in which it was entered."""
    made_ms: int
    carried_to: int | None = None
    """A later one that found it open."""

    @property
    def counts_in(self) -> int | None:
        """The run whose limits it counts against."""
        return self.run if self.carried_to is None else self.carried_to

    @property
    def transfer(self) -> Transfer:
        """The pending one that it was made with."""
        return entry.hold(
            self.ticket, agent=self.agent, space=self.space, asset=self.asset, micros=self.micros
        )


ROWS = select(*(_h.c[name] for name in HoldRow.__struct_fields__))
LOCKED_ROWS = ROWS.order_by(_h.c.ticket).with_for_update()

# Of the hot path, so made once.
_of_tickets = select(_h.c.ticket).where(_h.c.ticket.in_(bindparam("tickets", expanding=True)))
_held_by = LOCKED_ROWS.where(
    _h.c.ticket.in_(bindparam("tickets", expanding=True)), _h.c.state == "held"
)


async def known(tx: AsyncConnection, tickets: Iterable[str]) -> set[str]:
    """Those of the tickets whose entries have been held before."""
    return set(await tx.scalars(_of_tickets, {"tickets": list(tickets)}))


async def held_of(tx: AsyncConnection, tickets: Sequence[str]) -> list[HoldRow]:
    """What is held for the tickets, locked."""
    return [HoldRow(*row) for row in await tx.execute(_held_by, {"tickets": list(tickets)})]
