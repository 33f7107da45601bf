"""Anchors what hearings came to, once an epoch: their lines and the accounts of all judges into a document, its roots on the chain.

The document is kept, with the hearings that are in it, before anything is sent; it is made once and for all, for it says the same
on every branch of the chain. The contract takes an epoch only when the one before counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from chain.client.contract import Invocation
from chain.client.court import CourtContract
from chain.client.node import Head
from chain.documents import court_epoch, form
from chain.documents.court_epoch import CourtEpoch, HearingLine, TakenBack
from judges.court import earnings
from judges.court.earnings import Account
from server.clock import Clock
from server.court.onchain.leaves import lines_of
from server.operators.acting import Acts
from server.operators.reward_epochs import Adding
from server.store.court import Court as Cases
from server.store.court_epochs import CourtEpochs as Rows
from server.store.court_epochs import EpochRow
from server.store.court_logs import CourtLogs, Said

AT_ONCE = 4_096
"""Cases in one epoch, at most; hardly any has two hearings."""

_logger = structlog.get_logger()


class CourtEpochs:
    """By the key that has the role `clerk`. `alarm` is called with what a person has to decide."""

    def __init__(
        self,
        *,
        court: CourtContract,
        logs: CourtLogs,
        rows: Rows,
        cases: Cases,
        chain_id: int,
        every_s: int,
        acts: Acts,
        content: Adding,
        clock: Clock,
        alarm: Callable[[str, str], None] = lambda kind, detail: None,
    ) -> None:
        """`every_s`: from one epoch to the next, at least."""
        self._court = court
        self._logs = logs
        self._rows = rows
        self._cases = cases
        self._chain_id = chain_id
        self._every_s = every_s
        self._acts = acts
        self._content = content
        self._clock = clock
        self._alarm = alarm

    async def round(self, head: Head) -> None:
        """Raises OSError, and what store and content store raise."""
        newest = await self._logs.newest("Anchored", "Vetoed")
        if newest is not None and newest.name == "Vetoed":
            self._alarm("court-vetoed", f"epoch {newest.ordinal} of the court was vetoed")
            return
        if newest is not None and head.timestamp < newest.fields["counts_at"]:
            return
        before = await self._before(newest)
        made = await self._rows.get(1 if before is None else before.epoch + 1)
        if made is None and self._is_time(before):
            made = await self._make(before)
        if made is not None:
            await self._anchor(made)

    async def _before(self, newest: Said | None) -> EpochRow | None:
        """The row of the epoch that is anchored last. Raises LookupError where somebody else has anchored another."""
        if newest is None or newest.ordinal is None:
            return None
        row = await self._rows.get(newest.ordinal)
        root = newest.fields["cases_root"].hex()
        if row is None or row.cases_root != root:
            raise LookupError(
                f"epoch {newest.ordinal} of the court was anchored with root {root}, of which there is no document here:"
                " restore the database that has it"
            )
        return row

    def _is_time(self, before: EpochRow | None) -> bool:
        return before is None or self._clock() >= before.made_ms + self._every_s * 1_000

    async def _make(self, before: EpochRow | None) -> EpochRow | None:
        """None where no hearing waits that was done by messages."""
        closed = await self._rows.unanchored(AT_ONCE)
        lines = await self._lines([each.session for each in closed])
        if not lines:
            return None
        back = await self._rows.to_be_taken_back(AT_ONCE)
        had = None
        if before is not None:
            had = await asyncio.to_thread(court_epoch.read, before.document)
        document = await asyncio.to_thread(
            next_epoch, self._chain_id, self._court.address, self._clock(), lines, back, had
        )
        encoded = form.encode(document)
        cid = str(await self._content.add(encoded))
        row = EpochRow(
            document.epoch,
            document.cases_root,
            document.earned_root,
            document.total_micros,
            encoded,
            cid,
            document.made_ms,
        )
        return await self._rows.put(row, document, [each.session for each in closed])

    async def _lines(self, sessions: Sequence[str]) -> list[HearingLine]:
        """A file has up to a megabyte, so few are held at once."""
        forced = await self._rows.forced()
        found: list[HearingLine] = []
        for session in sessions:
            document = await self._cases.document(session)
            if document:  # nobody was drawn for a case whose file is empty
                found += await asyncio.to_thread(lines_of, document, forced)
        return found

    async def _anchor(self, made: EpochRow) -> None:
        name = f"court:{self._court.address[2:10]}:anchor:{made.epoch}"
        if await self._acts.standing(name) is None and not await self._is_funded(made):
            return

        async def call() -> Invocation:
            roots = bytes.fromhex(made.cases_root), bytes.fromhex(made.earned_root)
            return self._court.anchor(made.epoch, *roots, made.total_micros)

        tx = await self._acts.act(name, call)
        if tx is not None and not tx.done:
            _logger.info(
                "court epoch", epoch=made.epoch, total_micros=made.total_micros, cid=made.cid
            )

    async def _is_funded(self, made: EpochRow) -> bool:
        free = await self._court.funded() - await self._court.forced_total()
        if made.total_micros <= free:
            return True
        words = f"epoch {made.epoch} wants {made.total_micros} micro-USDC in all and the court has {free}: fund it"
        self._alarm("court-unfunded", words)
        return False


def next_epoch(
    chain_id: int,
    court: str,
    now_ms: int,
    lines: Sequence[HearingLine],
    back: Sequence[TakenBack],
    before: CourtEpoch | None,
) -> CourtEpoch:
    """The document of an epoch of these hearings, after the one before. Pure."""
    number, had = (1, []) if before is None else (before.epoch + 1, before.accounts)
    accounts = {each.judge: Account(each.balance, each.earned) for each in had}
    after = earnings.after(accounts, court_epoch.moved(lines, back))
    told = {judge: (account.balance, account.earned) for judge, account in after.items()}
    return court_epoch.build(number, chain_id, court, now_ms, lines, told, back)
