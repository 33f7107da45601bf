"""Follows the escrow's logs: each into its mirror and the ledger, within the reader's transaction; and takes each back.

What an owner does can never hold up the reader. An amount that no USDC stands behind is left out, whenever it is read, and the
comparison with the escrow tells of it; caps and times that fit into no column are the largest that do; sessions and epochs of
others are passed over and counted; thousands of changes of mind in one block come to one (`folding.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from chain.client.abi import Event
from chain.client.escrow import Escrow
from chain.client.node import Log
from server.clock import Clock
from server.settlement import refusal
from server.settlement.folding import folded
from server.store import escrow_books, escrow_state, holders
from server.store.engine import Database
from server.store.escrow_books import Books
from server.store.escrow_state import Change
from server.store.holders import Holder

LARGEST_MICROS = 10**17
"""A hundred thousand million dollars, more than all USDC there is. A token for development may be minted without bound, and what
the ledger cannot count it must not try to."""
MOST_MICROS = 2**62
"""All deposits since the beginning, as far as the ledger counts them."""
LARGEST = 2**63 - 1
OPENED_BEFORE = 1
"""REFUSED_KNOWN of the escrow: whatever came of the session stands."""
AT_ONCE = 100
"""Logs that are read before others have the loop."""
_MONEY = frozenset({"Deposited", "WithdrawalRequested", "WithdrawalCancelled", "Withdrawn"})


def reader_of(escrow: str) -> str:
    """What the reader of the escrow's logs is called, where it keeps how far it is."""
    return f"escrow:{escrow}"


class Mirror:
    """`server.store.chain_logs.Follower` of one escrow."""

    def __init__(
        self,
        *,
        database: Database,
        escrow: Escrow,
        treasury: str,
        clock: Clock,
        alarm: Callable[[str, str], None],
    ) -> None:
        """`treasury`: the wallet whose deposits are the arena's own. `alarm(kind, detail)`: once a batch, at most, for each
        kind."""
        self._db = database
        self._escrow = escrow
        self._treasury = treasury
        self._clock = clock
        self._alarm = alarm
        self._opened_topic = escrow.abi.topic("Opened")
        self._refused_topic = escrow.abi.topic("Refused")

    async def follow(self, tx: AsyncConnection, logs: Sequence[Log]) -> None:
        await self._go(tx, logs, 1)

    async def undo(self, tx: AsyncConnection, logs: Sequence[Log]) -> None:
        await self._go(tx, logs, -1)

    async def _go(self, tx: AsyncConnection, logs: Sequence[Log], way: int) -> None:
        """The mirror first, then the ledger: neither asks for the other, and rows are locked in one order."""
        events = await self._events(logs, way)
        left_out = await self._uncountable(tx, events, way)
        events = [event for place, event in enumerate(events) if place not in left_out]
        changes: dict[str, Change] = {}
        foreign = 0
        for event in events:
            _count(changes, event, way)
            ours = await (self._reflect(tx, event) if way > 0 else self._fade(tx, event))
            foreign += not ours
        await escrow_state.change_owners(self._db, tx, changes)
        if foreign:
            self._alarm(
                "foreign", f"{foreign} logs of the escrow are of sessions or epochs of others"
            )
        moving = [event for event in events if event.name in _MONEY]
        if moving:
            await self._move(tx, moving, way)

    async def _events(self, logs: Sequence[Log], way: int) -> list[Event]:
        """In the order of `logs`, as few as come to the same."""
        events: list[Event] = []
        for count, log in enumerate(logs):
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)  # others have the loop
            if (event := self._understood(log)) is not None:
                events.append(event)
        return folded(events[::way], LARGEST_MICROS)[::way]

    def _understood(self, log: Log) -> Event | None:
        """None also for what the ledger cannot count."""
        try:
            event = self._escrow.event(log)
        except ValueError as error:
            self._alarm("nonsense", f"a log of the escrow that it cannot have written: {error}")
            return None
        if event is not None and _amount(event) > LARGEST_MICROS:
            self._alarm("too-much", f"{event.name} of {_amount(event)} micros is left out")
            return None
        return event

    async def _uncountable(
        self, tx: AsyncConnection, events: Sequence[Event], way: int
    ) -> set[int]:
        """Deposits, by their places in the batch, that do not fit beside all that there were; or that did not, and so have
        nothing to be taken back."""
        deposits = [place for place, each in enumerate(events) if each.name == "Deposited"]
        if way < 0:
            logs = [(place, events[place].log) for place in deposits]
            return {place for place, log in logs if not await escrow_books.is_posted(tx, log)}
        left_out: set[int] = set()
        total = await escrow_books.deposited_micros(tx) if deposits else 0
        for place in deposits:
            micros = _amount(events[place])
            if total + micros > MOST_MICROS:
                left_out.add(place)
                self._alarm("too-much", f"a deposit of {micros} micros is left out")
            else:
                total += micros
        return left_out

    async def _reflect(self, tx: AsyncConnection, event: Event) -> bool:
        """Whether it is of this arena."""
        fields, log = event.fields, event.log
        match event.name:
            case "LimitsSet":
                most = [
                    min(fields[name], LARGEST) for name in ("max_entry", "daily_cap", "expires")
                ]
                await escrow_state.set_limits(self._db, tx, log, fields["owner"], *most)
                return True
            case "Opened":
                return await escrow_state.opened(tx, log, fields["session"].hex())
            case "Refused" if fields["reason"] != OPENED_BEFORE:
                reason = refusal.kept(fields["owner"], fields["reason"])
                return await escrow_state.refused(tx, log, fields["session"].hex(), reason)
            case "Refunded":
                session = [fields["session"].hex()]
                return await escrow_state.ended(tx, log, session, "refunded") > 0
            case "EpochClosed":
                roots = fields["result_root"].hex(), fields["payout_root"].hex()
                sessions = [session.hex() for session in fields["sessions"]]
                count = await escrow_state.ended(tx, log, sessions, "settled")
                ours = await escrow_state.closed(tx, log, fields["epoch"], *roots)
                return ours and count == len(sessions)
        return True

    async def _fade(self, tx: AsyncConnection, event: Event) -> bool:
        """The inverse. Whether it was of this arena has been told; only what was changed is changed back."""
        fields, log = event.fields, event.log
        match event.name:
            case "LimitsSet":
                await escrow_state.undo_limits(tx, log, fields["owner"])
            case "Opened":
                await escrow_state.undo_opened(tx, fields["session"].hex(), self._refused_topic)
            case "Refused" if fields["reason"] != OPENED_BEFORE:
                await escrow_state.undo_refused(tx, log, fields["session"].hex())
            case "Refunded":
                session = [fields["session"].hex()]
                await escrow_state.undo_ended(tx, session, "refunded", self._opened_topic)
            case "EpochClosed":
                sessions = [session.hex() for session in fields["sessions"]]
                await escrow_state.undo_ended(tx, sessions, "settled", self._opened_topic)
                await escrow_state.undo_closed(tx, log, fields["epoch"])
        return True

    async def _move(self, tx: AsyncConnection, events: Sequence[Event], way: int) -> None:
        now_ms = self._clock()
        wallets = {event.fields["owner"] for event in events}
        found = await holders.of_wallets(self._db, tx, wallets, self._treasury, now_ms)
        books = Books(self._db, tx, now_ms)
        for event in events:
            await asyncio.sleep(0)  # others have the loop: on SQLite nothing here gives it away
            holder = found[event.fields["owner"]]
            await (_post(books, holder, event) if way > 0 else _post_back(books, holder, event))


async def _post(books: Books, holder: Holder, event: Event) -> None:
    amount = event.fields["amount"]
    match event.name:
        case "Deposited" if amount:
            await books.deposited(holder, event.log, amount)
        case "WithdrawalRequested":
            await books.requested(holder, event.log, amount)
        case "WithdrawalCancelled":
            await books.cancelled(holder, event.log)
        case "Withdrawn":
            await books.withdrawn(holder, event.log)


async def _post_back(books: Books, holder: Holder, event: Event) -> None:
    amount = event.fields["amount"]
    match event.name:
        case "Deposited" if amount:
            await books.undo_deposited(holder, event.log, amount)
        case "WithdrawalRequested":
            await books.undo_requested(holder, event.log)
        case "WithdrawalCancelled":
            await books.undo_cancelled(holder, event.log)
        case "Withdrawn":
            await books.undo_withdrawn(holder, event.log)


def _amount(event: Event) -> int:
    """What it moves, at most; limits move nothing."""
    fields: dict[str, Any] = event.fields
    return max(int(fields.get("amount", 0)), int(fields.get("entry", 0)))


def _count(changes: dict[str, Change], event: Event, way: int) -> None:
    """What of an owner's changes with it; `way` is -1 for the inverse."""
    fields = event.fields
    amount = way * _amount(event)
    match event.name:
        case "Deposited":
            _of(changes, fields["owner"]).balance += amount
        case "Claimed":
            _of(changes, fields["owner"]).balance += amount
            _of(changes, fields["owner"]).claimed += amount
        case "WithdrawalRequested":
            _of(changes, fields["owner"]).balance -= amount
            _of(changes, fields["owner"]).leaving += amount
        case "WithdrawalCancelled":
            _of(changes, fields["owner"]).balance += amount
            _of(changes, fields["owner"]).leaving -= amount
        case "Withdrawn":
            _of(changes, fields["owner"]).leaving -= amount
        case "Opened":
            for owner in fields["owners"]:
                _of(changes, owner).balance -= amount
        case "Refunded":
            for owner in fields["owners"]:
                _of(changes, owner).balance += amount


def _of(changes: dict[str, Change], wallet: str) -> Change:
    return changes.setdefault(wallet, Change())
