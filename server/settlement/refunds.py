"""Entries of sessions that came to nothing go back on the chain, in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from chain.client.escrow import MAX_SESSIONS, Escrow, Opening
from chain.client.node import Reverted
from server.settlement.actions import Writer, attempts
from server.settlement.alarms import Alarming
from server.store.epochs import Epochs as Rows
from server.store.epochs import EscrowSession

Refunded = Callable[[str, str], Awaitable[object]]
"""(session, transaction) for whoever watches (`server.jobs.anchored`)."""


class Refunds:
    def __init__(
        self,
        *,
        rows: Rows,
        escrow: Escrow,
        writer: Writer,
        alarming: Alarming,
        refunded: Refunded | None,
    ) -> None:
        self._rows = rows
        self._escrow = escrow
        self._writer = writer
        self._alarming = alarming
        self._refunded = refunded
        self._asked: set[str] = set()

    async def round(self, too_late: Sequence[EscrowSession]) -> None:
        """Have the open sessions that are void given back, and those whose time to be settled is over. One batch at a time: a
        batch is called by its first session, so the next round knows it, and one that is given back twice is given back once."""
        await self._tell()
        void = await self._rows.void(MAX_SESSIONS)
        batch = sorted([*void, *too_late], key=lambda each: each.session)[:MAX_SESSIONS]
        if not batch:
            return
        so_far = await attempts(self._writer, f"refund:{batch[0].session}")
        if so_far.under_way or so_far.done:
            return
        openings = [Opening(each.session, each.entry_micros, each.owners) for each in batch]
        call = await asyncio.to_thread(self._escrow.refund, openings)
        try:
            await self._writer.submit(so_far.following, *call)
        except Reverted as error:
            self._alarming("refund-refused", so_far.following, error.reason)
        else:
            self._asked |= {each.session for each in batch}

    async def _tell(self) -> None:
        for session in sorted(self._asked) if self._refunded is not None else ():
            row = await self._rows.session(session)
            if row is not None and row.state == "refunded" and row.tx is not None:
                assert self._refunded is not None, "else there is nobody to tell"
                await self._refunded(session, row.tx)
                self._asked.discard(session)
