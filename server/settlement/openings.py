"""Has the escrow open the sessions that are wanted of it, many by one transaction.

A batch is a name in its sessions' rows, written before the transaction of that name is asked for, so each step may be repeated
by whoever leads. The escrow opens a session once: one that is asked for again by another batch is refused there, and nothing is
taken. What came of a batch is in the rows by the escrow's logs, when they were read; here is only seen to it that there is
always a transaction that can still do it, or that the session is given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol

import structlog

from chain.client.contract import Invocation
from chain.client.escrow import MAX_SESSIONS, Opening
from chain.client.nonces import OPEN, State, Tx
from chain.client.txs import OtherCall
from server.clock import Clock
from server.identity import new_id
from server.store.openings import Wanted

MAX_SEATS = 512
GAS = 50_000
GAS_A_SESSION = 26_000
GAS_A_SEAT = 14_000
"""The most that an opening takes, not what the node estimates: a session that would be refused now, and is opened then, takes
more than it was estimated at, and all others would fail with it."""
PATIENCE_MS = 300_000
"""A session that has not been opened this long after it was made is given up, as soon as nothing can open it any more."""
AFTER_FAILURE_MS = (5_000, 15_000, 60_000)
"""How long after a batch that failed on chain the next one waits; the last one repeats."""
NOT_OPENED = "the chain did not take the entries in time; they have been given back"

_logger = structlog.get_logger()


class Rows(Protocol):
    """What is used of `store.openings.Openings`."""

    async def name(self, opening: str, sessions: int, seats: int) -> int: ...
    async def wanted(self) -> list[Wanted]: ...
    async def batch(self, opening: str) -> list[Wanted]: ...
    async def unname(self, opening: str) -> int: ...
    async def give_up(self, sessions: Collection[str], opening: str | None, reason: str) -> int: ...


class Writer(Protocol):
    """What is used of `chain.client.txs.TxWriter`."""

    async def find(self, action: str) -> Tx | None: ...
    async def submit(
        self, action: str, to: str | None, data: bytes, *, gas: int | None = None
    ) -> Tx: ...
    async def cancel(self, action: str) -> Tx | None: ...


class EscrowCalls(Protocol):
    """What is used of `chain.client.escrow.Escrow`."""

    def open_sessions(self, openings: Sequence[Opening]) -> Invocation: ...
    async def paused(self) -> bool: ...


class Openings:
    """One per leader; two at once, by mistake, harm nothing."""

    name = "openings"

    def __init__(
        self,
        *,
        rows: Rows,
        writer: Writer,
        escrow: EscrowCalls,
        clock: Clock,
        agrees: Callable[[], Awaitable[bool]] | None = None,
        patience_ms: int = PATIENCE_MS,
    ) -> None:
        """`agrees`: the ledger and the escrow hold the same; while they do not, nothing new is opened. None: nobody compares."""
        self._rows = rows
        self._writer = writer
        self._escrow = escrow
        self._agrees = agrees
        self._clock = clock
        self._patience_ms = patience_ms
        self._failures = 0
        self._hindrance = ""
        self._not_before_ms = 0

    async def round(self) -> None:
        """Look after what is under way, then begin batches. Raises what node and store raise; to be called again then."""
        wanted = await self._rows.wanted()
        for opening in dict.fromkeys(each.opening for each in wanted if each.opening):
            await self._look_after(opening, [each for each in wanted if each.opening == opening])
        await self._give_up(None, [each for each in wanted if each.opening is None])
        if any(each.opening is None for each in await self._rows.wanted()):
            await self._begin()

    async def _look_after(self, opening: str, batch: Sequence[Wanted]) -> None:
        tx = await self._writer.find(opening)
        if tx is None:  # it was named, and whoever named it died: nothing of it can be anywhere
            if await self._give_up(opening, batch):
                await self._rows.unname(opening)
            elif await self._may_begin():
                await self._submit(opening)
        elif tx.state in OPEN:
            if self._late(batch) and not tx.cancelling:
                _logger.warning("opening given up", opening=opening, sessions=len(batch))
                await self._writer.cancel(opening)
        elif tx.done:
            self._failures = 0  # its logs are read soon
        else:
            if tx.state is State.FINAL:
                self._failed(opening)
            await self._give_up(opening, batch)
            await self._rows.unname(opening)

    def _failed(self, opening: str) -> None:
        wait_ms = AFTER_FAILURE_MS[min(self._failures, len(AFTER_FAILURE_MS) - 1)]
        self._failures += 1
        self._not_before_ms = self._clock() + wait_ms
        _logger.error("opening failed on chain", opening=opening, retry_s=wait_ms / 1_000)

    def _late(self, batch: Sequence[Wanted]) -> list[Wanted]:
        """What is being played waits as long as it takes: only a session that has not begun is given up."""
        before_ms = self._clock() - self._patience_ms
        return [each for each in batch if each.made_ms < before_ms and not each.begun]

    async def _give_up(self, opening: str | None, batch: Sequence[Wanted]) -> int:
        """Those that are late, of which nothing can come by their opening any more."""
        late = self._late(batch)
        if not late:
            return 0
        count = await self._rows.give_up([each.session for each in late], opening, NOT_OPENED)
        if count:
            _logger.warning("sessions not opened in time", count=count, opening=opening)
        return count

    async def _begin(self) -> None:
        """Name and submit batches until nothing wanted is left without one."""
        if await self._may_begin():
            opening = f"open:{new_id()}"
            while await self._rows.name(opening, MAX_SESSIONS, MAX_SEATS):
                await self._submit(opening)
                opening = f"open:{new_id()}"

    async def _may_begin(self) -> bool:
        if self._clock() < self._not_before_ms:
            return False
        hindrance = ""
        if self._agrees is not None and not await self._agrees():
            hindrance = "the ledger and the escrow are not known to be one"
        elif await self._escrow.paused():
            hindrance = "the escrow is paused"
        if hindrance != self._hindrance:  # once, not each second
            self._hindrance = hindrance
            _logger.warning("openings", waiting_for=hindrance or "nothing any more")
        return not hindrance

    async def _submit(self, opening: str) -> None:
        batch = await self._rows.batch(opening)
        calls = [Opening(each.session, each.entry_micros, each.owners) for each in batch]
        seats = sum(len(each.owners) for each in batch)
        gas = GAS + GAS_A_SESSION * len(batch) + GAS_A_SEAT * seats
        call = await asyncio.to_thread(self._escrow.open_sessions, calls)  # a tenth of a second
        try:
            await self._writer.submit(opening, *call, gas=gas)
        except OtherCall as error:  # another leader was faster, and slower
            _logger.warning("opening stands already", opening=opening, reason=str(error))
            return
        _logger.info("opening", opening=opening, sessions=len(batch), seats=seats)
