"""Entries that become the pot of a session and are settled with it, all within other people's transactions:
the one that forms the session (`sessions`) and the one that settles it (`results`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.ledger import Transfer, entry
from server.store import ledger, money
from server.store.engine import Database
from server.store.holds import LOCKED_ROWS, HoldRow, held_of

_h = money.hold

# Of the hot path, so made once.
_spent_on = LOCKED_ROWS.where(
    _h.c.session.in_(bindparam("sessions", expanding=True)), _h.c.state == "spent"
)
_spend = (
    update(_h).where(_h.c.ticket == bindparam("of")).values(state="spent", session=bindparam("on"))
)
_mark_settled = (
    update(_h)
    .where(_h.c.session.in_(bindparam("sessions", expanding=True)), _h.c.state == "spent")
    .values(state="settled")
)


class NotFormed(Exception):
    """A session cannot be formed, whenever it is tried; the message says why."""


class EntriesGone(NotFormed):
    """Entries of a session to be formed are not held any more, so it cannot be."""

    def __init__(self, session: str, tickets: Sequence[str]) -> None:
        super().__init__(f"session {session!r}: not held any more: {', '.join(tickets)}")
        self.tickets = tuple(tickets)


async def spend(
    db: Database, tx: AsyncConnection, sessions: Mapping[str, Sequence[str]], now_ms: int
) -> None:
    """Move the entries of each session's tickets to its pot, in the transaction that forms the sessions.

    Raises EntriesGone, and then none of them must be formed.
    """
    tickets = [ticket for each in sessions.values() for ticket in each]
    if not tickets:
        return
    rows = {row.ticket: row for row in await held_of(tx, tickets)}
    batch: list[Transfer] = []
    spent: list[dict[str, str]] = []
    for session, own in sessions.items():
        if gone := sorted(set(own) - rows.keys()):
            raise EntriesGone(session, gone)
        if not own:
            continue
        mine = [rows[ticket] for ticket in sorted(own)]
        batch += entry.spend(session, [row.transfer for row in mine])
        spent += [{"of": row.ticket, "on": session} for row in mine]
    await ledger.require(db, tx, batch, now_ms)
    await tx.execute(_spend, spent)


async def spent_on(tx: AsyncConnection, sessions: Collection[str]) -> list[HoldRow]:
    """The sessions' entries that are not settled yet, locked."""
    rows = await tx.execute(_spent_on, {"sessions": list(sessions)})
    return [HoldRow(*row) for row in rows]


async def mark_settled(tx: AsyncConnection, sessions: Collection[str]) -> None:
    await tx.execute(_mark_settled, {"sessions": list(sessions)})
