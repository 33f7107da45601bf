"""The rounds in which sessions are settled on the chain: results -> documents -> `close_epoch` -> `claim_many`; and refunds.

What is to be done follows from rows alone (`server.store.epochs`, the writer's, the follower's), and every step may be done
again: a round that was cut off anywhere is gone on with by the next. Only one epoch is under way at a time.

When the chain does not take an epoch, its call is held against the chain, session by session. Those that are not open there any
more, or past their time, are left out, and the epoch of the same number is made anew from the others: one session cannot hold up
everybody's money. A session that was not settled in time is refunded on the chain, like a void one; what the ledger has paid for
it is for a person to make good, and an alarm has called one since half of its time was over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec
import structlog

from chain.client.contract import Invocation
from chain.client.escrow import MAX_SESSIONS, Escrow, Opening
from chain.client.node import Head, Reverted
from chain.client.txs import Alarm
from chain.documents import payouts as payout_documents
from chain.documents.payouts import PayoutsDocument
from server.clock import Clock
from server.jobs.faults import NotNow
from server.jobs.pin import ContentStore
from server.settlement import reckoning
from server.settlement.actions import Attempts, Writer, attempts
from server.settlement.alarms import Alarming
from server.settlement.claims import Claims
from server.settlement.documents import SessionDocuments
from server.settlement.reckoning import Settled
from server.settlement.refunds import Refunded, Refunds
from server.settlement.signing import Signing
from server.store import Store
from server.store.document_pins import Kind
from server.store.epochs import EpochRow, EpochsChanged, EscrowSession, NewEpoch, summary_of

MARGIN_S = 900
"""A session's time is over for us so much sooner: a transaction may wait."""
LOOKS = 16
"""Sessions that a node is asked about at the same time."""
_OPEN_THERE = 1

_logger = structlog.get_logger()

Anchored = Callable[[str, int, str], Awaitable[object]]
"""(session, epoch, transaction) for whoever watches (`server.jobs.anchored`)."""


class Heads(Protocol):
    """What is needed of a node beside calls; `Rpc` is one."""

    async def head(self) -> Head: ...


class Epochs:
    """A round of `server.settlement.chain`; that two processes do it, by mistake, harms nothing."""

    name = "epochs"

    def __init__(
        self,
        *,
        store: Store,
        documents: SessionDocuments,
        signing: Signing,
        node: Heads,
        escrow: Escrow,
        chain_id: int,
        treasury: Callable[[], Awaitable[str]],
        writer: Writer,
        content: ContentStore,
        every_s: float,
        clock: Clock,
        alarm: Callable[[Alarm], None] = lambda _: None,
        anchored: Anchored | None = None,
        refunded: Refunded | None = None,
    ) -> None:
        """`treasury` says which wallet gets the fees. `alarm` is called with what a person should know, at most once a minute for
        each thing."""
        self._rows = store.epochs
        self._pins = store.document_pins
        self._documents = documents
        self._signing = signing
        self._node = node
        self._escrow = escrow
        self._chain_id = chain_id
        self._treasury = treasury
        self._writer = writer
        self._content = content
        self._every_ms = int(every_s * 1_000)
        self._clock = clock
        self._alarming = Alarming(alarm, clock)
        self._anchored = anchored
        self._claims = Claims(
            rows=self._rows, escrow=escrow, writer=writer, alarming=self._alarming
        )
        self._refunds = Refunds(
            rows=self._rows,
            escrow=escrow,
            writer=writer,
            alarming=self._alarming,
            refunded=refunded,
        )
        self._refund_after_s = 0
        self._pinned: dict[Kind, bytes] = {}
        self._told: tuple[int, str | None] = (0, None)
        self._closed: EpochRow | None = None

    async def round(self) -> None:
        """Do what is to be done now. Raises OSError, and what the store raises."""
        if not self._refund_after_s:
            self._refund_after_s = int(await self._escrow.read("REFUND_AFTER"))
        ready, too_late = await self._ready()
        await self._refunds.round(too_late)
        standing = await self._latest()
        if standing is not None and standing.state == "closed":
            await self._tell(standing)
            await self._claims.round(standing)
            await self._rows.forget_payouts()
        if standing is None or standing.state == "closed":
            standing = await self._make(standing, ready)
        if standing is not None:
            await self._pin(standing)
            if standing.state == "made":
                await self._close(standing)

    async def _latest(self) -> EpochRow | None:
        """A closed one is not read again: its pay-outs may be of megabytes."""
        newest = next(iter(await self._rows.page(limit=1)), None)
        last = self._closed
        if newest is None or last is None or newest != summary_of(last):
            last = await self._rows.latest()
            self._closed = last if last is not None and last.state == "closed" else None
        return last

    async def _ready(self) -> tuple[list[EscrowSession], list[EscrowSession]]:
        """Sessions to be settled, and those whose time for it is over. The chain is asked about old ones alone."""
        half_ms = self._clock() - self._refund_after_s * 500
        if late := await self._rows.open_before(half_ms):
            words = f"{late} sessions are open for more than half of the time in which they can be settled"
            self._alarming("overdue", "", words)
        old_ms = self._clock() - (self._refund_after_s - 2 * self._margin_s) * 1_000
        fresh = await self._rows.ready(MAX_SESSIONS, since_ms=old_ms)
        old = await self._rows.ready(MAX_SESSIONS, before_ms=old_ms)
        over = await self._not_settleable(old) if old else set()
        ready = [*(each for each in old if each.session not in over), *fresh][:MAX_SESSIONS]
        return ready, [each for each in old if each.session in over]

    @property
    def _margin_s(self) -> int:
        return min(MARGIN_S, self._refund_after_s // 8)

    # Making

    async def _make(self, before: EpochRow | None, ready: list[EscrowSession]) -> EpochRow | None:
        """The next epoch, where it is time for one and there is something to settle."""
        waited_ms = None if before is None else self._clock() - before.made_ms
        full = len(ready) >= MAX_SESSIONS
        if not ready or not (full or waited_ms is None or waited_ms >= self._every_ms):
            return before
        number = 1 if before is None else before.number + 1
        closed = (await self._escrow.books()).epoch
        if closed != number - 1:
            words = f"the escrow has closed {closed} epochs, and the next of ours is {number}"
            self._alarming("epoch-number", f"epoch:{number}", words)
            return before
        new = await self._reckoned(number, before, ready)
        if new is None:
            return before
        try:
            made = await self._rows.make(new)
        except EpochsChanged as error:
            _logger.info("an epoch is begun again", reason=str(error))
            return before
        _logger.info("epoch", number=number, sessions=len(new.sessions), state="made")
        return made

    async def _reckoned(
        self, number: int, before: EpochRow | None, sessions: Sequence[EscrowSession]
    ) -> NewEpoch | None:
        """The documents of an epoch of these sessions, signed; None where none of them can be settled."""
        settled = []
        for each in sessions:
            result = await self._documents.read(each.session)
            if result is not None:
                settled.append(Settled(each.session, each.entry_micros, each.owners, result))
        treasury = await self._treasury()
        good, wrong = reckoning.fit(settled, treasury)
        for words in wrong:
            self._alarming("wrong-result", words[:60], words)
        if not good:
            return None
        made = await asyncio.to_thread(
            reckoning.reckon,
            number=number,
            chain_id=self._chain_id,
            escrow=self._escrow.address,
            treasury=treasury,
            before=_allotted(before),
            settled=good,
            now_ms=self._clock(),
        )
        return NewEpoch(
            number=number,
            document=self._signing.epoch(made.epoch),
            payouts=payout_documents.encode(made.payouts),
            result_root=made.epoch.root,
            payout_root=made.payouts.root,
            allotted_micros=made.epoch.payouts.total_micros,
            sessions=tuple(each.session for each in made.epoch.results),
        )

    # Closing

    async def _close(self, epoch: EpochRow) -> None:
        """Have the escrow take it. That it has, the follower sees."""
        name = f"epoch:{epoch.number}"
        call = await self._closing(epoch)
        so_far = await attempts(self._writer, name)
        if so_far.under_way or so_far.done:
            if not so_far.is_of(call):
                self._alarming(
                    "other-epoch", name, "its transaction closes what was made before it"
                )
            return
        if so_far.spent and so_far.is_of(call):
            remade = await self._without_the_unsettleable(epoch)
            if remade is not epoch:
                return  # with the next round
        await self._send_closing(epoch, so_far, call)

    async def _send_closing(self, epoch: EpochRow, so_far: Attempts, call: Invocation) -> None:
        try:
            await self._writer.submit(so_far.following, *call)
        except Reverted as error:
            if await self._without_the_unsettleable(epoch) is epoch:
                self._alarming("epoch-refused", so_far.following, error.reason)

    async def _closing(self, epoch: EpochRow) -> Invocation:
        sessions = await self._rows.sessions_of(epoch.number)
        return await asyncio.to_thread(  # of 256 sessions a tenth of a second
            self._escrow.close_epoch,
            epoch.number,
            bytes.fromhex(epoch.result_root),
            bytes.fromhex(epoch.payout_root),
            epoch.allotted_micros,
            [_opening(each) for each in sessions],
        )

    async def _without_the_unsettleable(self, epoch: EpochRow) -> EpochRow | None:
        """The epoch made anew without the sessions that the escrow cannot settle; itself where there are none."""
        sessions = await self._rows.sessions_of(epoch.number)
        over = await self._not_settleable(sessions)
        if not over:
            return epoch
        words = f"without {len(over)} of {len(sessions)} sessions: {', '.join(sorted(over))}"
        self._alarming("epoch-remade", f"epoch:{epoch.number}", words[:400])
        before = await self._rows.get(epoch.number - 1)
        left = [each for each in sessions if each.session not in over]
        new = await self._reckoned(epoch.number, before, left)
        try:
            return await self._rows.remake(epoch, new)
        except EpochsChanged as error:
            _logger.info("an epoch is left as it is", reason=str(error))
            return None

    async def _not_settleable(self, sessions: Sequence[EscrowSession]) -> set[str]:
        """Those that are not open on the chain now, or whose time is over there, or nearly."""
        now_s = (await self._node.head()).timestamp
        latest = now_s - self._refund_after_s + self._margin_s
        gate = asyncio.Semaphore(LOOKS)

        async def over(each: EscrowSession) -> bool:
            async with gate:
                state, opened_at = await self._escrow.session(each.session)
            return state != _OPEN_THERE or opened_at <= latest

        found = await asyncio.gather(*(over(each) for each in sessions))
        return {each.session for each, is_over in zip(sessions, found, strict=True) if is_over}

    # What is told and kept

    async def _pin(self, epoch: EpochRow) -> None:
        """Its documents into the content store, before it is closed where the store serves: the arena hands them out all the same,
        so nobody's money waits for that."""
        documents: tuple[tuple[Kind, bytes | None], ...] = (
            ("epoch", epoch.document),
            ("payouts", epoch.payouts),
        )
        for kind, document in documents:
            if document is None or self._pinned.get(kind) == document:
                continue
            try:
                id_ = str(await self._content.add(document))
            except NotNow as error:
                _logger.warning("an epoch is not pinned now", epoch=epoch.number, reason=str(error))
                return
            name = str(epoch.number)
            pin = await self._pins.put(kind, name, id_, len(document), epoch.made_ms)
            if pin.cid != id_:
                await self._pins.replace(kind, name, id_, len(document))
            self._pinned[kind] = document

    async def _tell(self, epoch: EpochRow) -> None:
        """Whoever watches its sessions, once; again after a reorganisation."""
        if self._anchored is None or epoch.tx is None or self._told == (epoch.number, epoch.tx):
            return
        for each in await self._rows.sessions_of(epoch.number):
            try:
                await self._anchored(each.session, epoch.number, epoch.tx)
            except Exception as error:  # nothing but what is shown depends on it
                _logger.warning("an epoch is not told", session=each.session, error=str(error))
        self._told = epoch.number, epoch.tx


def _allotted(epoch: EpochRow | None) -> dict[str, int]:
    """What each account may claim in all by an epoch, by address in lower case."""
    if epoch is None:
        return {}
    assert epoch.payouts is not None, "those of the last two epochs are kept"
    return dict(msgspec.json.decode(epoch.payouts, type=PayoutsDocument).accounts)


def _opening(session: EscrowSession) -> Opening:
    return Opening(session.session, session.entry_micros, session.owners)
