"""What the escrow's logs say of owners, limits, sessions and epochs, written into its mirror and taken back.

All within the transaction that follows the logs. A change that finds nothing of ours to change is counted by whoever asked for
it: another arena may settle by the same escrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Update, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chain.client.node import Log
from server.store import chain, escrow
from server.store.engine import Database

_o, _l, _s, _e = (
    escrow.escrow_owner,
    escrow.escrow_limits,
    escrow.escrow_session,
    escrow.epoch,
)
_log = chain.chain_log


class Change(msgspec.Struct):
    """Of what the escrow has of an owner, micros."""

    balance: int = 0
    claimed: int = 0
    leaving: int = 0


async def change_owners(db: Database, tx: AsyncConnection, changes: Mapping[str, Change]) -> None:
    """By wallet."""
    insert = db.insert(_o)
    new = insert.excluded
    adds = insert.on_conflict_do_update(
        index_elements=["wallet"],
        set_={
            "balance_micros": _o.c.balance_micros + new.balance_micros,
            "claimed_micros": _o.c.claimed_micros + new.claimed_micros,
            "leaving_micros": _o.c.leaving_micros + new.leaving_micros,
        },
    )
    rows = [
        {
            "wallet": wallet,
            "balance_micros": each.balance,
            "claimed_micros": each.claimed,
            "leaving_micros": each.leaving,
        }
        for wallet, each in sorted(changes.items())
    ]
    if rows:
        await tx.execute(adds, rows)


async def set_limits(
    db: Database, tx: AsyncConnection, log: Log, wallet: str, max_entry: int, cap: int, expires: int
) -> None:
    row = {
        "wallet": wallet,
        "number": log.number,
        "log_index": log.index,
        "max_entry_micros": max_entry,
        "daily_cap_micros": cap,
        "expires_s": expires,
    }
    await tx.execute(db.insert(_l).values(row).on_conflict_do_nothing())


async def undo_limits(tx: AsyncConnection, log: Log, wallet: str) -> None:
    here = (_l.c.wallet == wallet, _l.c.number == log.number, _l.c.log_index == log.index)
    await tx.execute(delete(_l).where(*here))


async def opened(tx: AsyncConnection, log: Log, session: str) -> bool:
    """Also one that was refused before, and asked for again: that stands, whatever was made of the refusal."""
    may = (_s.c.digest == session, _s.c.state.in_(("wanted", "refused")))
    return await _changed(tx, update(_s).where(*may).values(state="open", tx=log.tx))


async def undo_opened(tx: AsyncConnection, session: str, refused_topic: str) -> bool:
    """It is wanted again, or refused, by the transaction that was the first to refuse it."""
    was = (_s.c.digest == session, _s.c.state == "open")
    if await _changed(
        tx, update(_s).where(*was, _s.c.reason.is_(None)).values(state="wanted", tx=None)
    ):
        return True
    refusals = _log.c.topics.startswith(f"{refused_topic} 0x{session}")
    first = select(_log.c.tx).where(refusals).order_by(_log.c.number, _log.c.log_index).limit(1)
    by = await tx.scalar(first)
    return await _changed(tx, update(_s).where(*was).values(state="refused", tx=by))


async def refused(tx: AsyncConnection, log: Log, session: str, reason: str) -> bool:
    """The first refusal counts."""
    wanted = update(_s).where(_s.c.digest == session, _s.c.state == "wanted")
    return await _changed(tx, wanted.values(state="refused", reason=reason, tx=log.tx))


async def undo_refused(tx: AsyncConnection, log: Log, session: str) -> bool:
    was = (_s.c.digest == session, _s.c.state == "refused", _s.c.tx == log.tx)
    return await _changed(tx, update(_s).where(*was).values(state="wanted", reason=None, tx=None))


async def ended(tx: AsyncConnection, log: Log, sessions: Sequence[str], state: str) -> int:
    """`settled` or `refunded`; how many of them are ours."""
    those = update(_s).where(_s.c.digest.in_(sessions), _s.c.state == "open")
    return (await tx.execute(those.values(state=state, tx=log.tx))).rowcount


async def undo_ended(
    tx: AsyncConnection, sessions: Sequence[str], state: str, opened_topic: str
) -> int:
    """They are open again, by the transaction that opened them; how many are ours."""
    topics = [f"{opened_topic} 0x{session}" for session in sessions]
    query = select(_log.c.topics, _log.c.tx).where(_log.c.topics.in_(topics))
    openings = {row.topics[-64:]: row.tx for row in await tx.execute(query)}
    count = 0
    for session in sessions:
        those = update(_s).where(_s.c.digest == session, _s.c.state == state)
        again = those.values(state="open", tx=openings.get(session))
        count += (await tx.execute(again)).rowcount
    return count


async def closed(
    tx: AsyncConnection, log: Log, number: int, result_root: str, payout_root: str
) -> bool:
    """Whether it is the epoch that we have made."""
    ours = (_e.c.number == number, _e.c.result_root == result_root, _e.c.payout_root == payout_root)
    return await _changed(tx, update(_e).where(*ours).values(state="closed", tx=log.tx))


async def undo_closed(tx: AsyncConnection, log: Log, number: int) -> bool:
    was = update(_e).where(_e.c.number == number, _e.c.tx == log.tx)
    return await _changed(tx, was.values(state="made", tx=None))


async def _changed(tx: AsyncConnection, change: Update) -> bool:
    return (await tx.execute(change)).rowcount > 0
