"""The clerk: takes each open case a step further, when its time has come or the chain has news.

One process leads. Each step is a change of the case's rows, made of what stands there and of what the chain says: killed anywhere, the
next leader goes on; two at once, by mistake, harm nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog

from chain.content import cid
from chain.content.cid import Cid
from chain.court.commitment import Court
from chain.court.filing import Filing
from chain.documents.case import CaseDocument, encode
from judges.court.escalation import coverable
from server.clock import Clock
from server.court import docket
from server.court.case import Case
from server.court.findings import document_of, finished
from server.court.known import Known
from server.court.seam import Chain, Pool
from server.store import Store
from server.store.pin_tasks import NewPinTask

DOCUMENTS = 16
"""Made in one round."""

_logger = structlog.get_logger()

Change = Callable[[Case], Case]


class Content(Protocol):
    """What is used of `server.jobs.pin.ContentStore`."""

    async def keep(self, document: bytes) -> Cid: ...


class Clerk:
    """A `server.settlement.chain.Round`."""

    name = "court"

    def __init__(
        self,
        *,
        store: Store,
        chain: Chain,
        court: Court,
        content: Content,
        clock: Clock,
        patience_s: int,
        told: Callable[[], Awaitable[object]],
        sign: Callable[[CaseDocument], bytes] = encode,
    ) -> None:
        """`sign` gives a case's file its bytes, always the same. `patience_s`: so long a case waits for judges whom a panel can be drawn of. `told` is called after each round: tells who
        watches what has changed."""
        self._store = store
        self._chain = chain
        self._court = court
        self._content = content
        self._clock = clock
        self._patience_ms = patience_s * 1_000
        self._told = told
        self._sign = sign
        self._pools: dict[int, Pool] = {}
        self._known = Known(store.court)

    async def round(self) -> None:
        """Raises what store and chain raise, once every case was looked at; to be called again then."""
        failures: list[Exception] = []
        drafts: list[Filing] = []
        for case in await self._known.of(await self._store.court.open_revisions()):
            with _others_go_on(failures):
                drafts += _drafts(await self._advance(case))
        with _others_go_on(failures):
            if drafts:  # asking again is harmless
                await self._chain.file(drafts)
        for row in await self._store.court.undocumented(DOCUMENTS):
            with _others_go_on(failures):
                await self._document(row.case)
        await self._told()
        if failures:
            raise failures[0]

    async def _advance(self, case: Case) -> Case:
        session = await self._store.sessions.get(case.session)
        if session is not None and session.status == "void":
            return await self._change(
                case, lambda now: docket.given_up(now, "the session is void", self._clock())
            )
        forced = await self._chain.forced(case.id)
        if forced:
            case = await self._change(case, lambda now: docket.followed(now, forced))
        case = await self._begin(case)
        case = await self._draw(case)
        now_ms = self._clock()
        due = case.last.by_ms
        if case.last.state in ("committing", "revealing") and due is not None and due <= now_ms:
            case = await self._change(case, lambda now: docket.passed(now, self._clock()))
        if case.last.over and case.stands is None:
            case = await self._conclude(case)
        if await self._is_over(case, now_ms):
            case = await self._change(case, lambda now: docket.closed(now, self._clock()))
        if case.state != "open":
            await self._store.outbox.wake(case.session, "judge", self._clock())
        return case

    async def _is_over(self, case: Case, now_ms: int) -> bool:
        """Whether nobody has appealed in time, also not in blocks that are not read yet."""
        ends_ms = case.appeal_by_ms
        if case.state != "open" or ends_ms is None or ends_ms > now_ms:
            return False
        ours = [each.hearing for each in case.hearings if not each.forced]
        grace_s = case.terms.appeal_s - await self._chain.appeal_s()
        return await self._chain.uncontested(
            case.id, [*ours, case.last.hearing + 1], ends_ms - grace_s * 1_000
        )

    async def _begin(self, case: Case) -> Case:
        """Have the last hearing a snapshot that fills its panel."""
        held = case.last
        if held.state != "wanted" or held.filing is not None:
            return case
        pool = await self._chain.newest()
        if pool is not None and _fills(pool, case, held.seats):
            number = pool.snapshot.number
            return await self._change(case, lambda now: docket.drafted(now, number))
        since_ms = case.hearings[-2].ended_ms if held.hearing else case.made_ms
        if self._clock() - (since_ms or case.made_ms) < self._patience_ms:
            return case
        return await self._change(case, lambda now: docket.unseated(now, self._clock()))

    async def _draw(self, case: Case) -> Case:
        held = case.last
        if held.state not in ("wanted", "filed") or held.filing is None:
            return case
        news = await self._chain.filed(case.id, held.hearing)
        if news is None:
            return case
        if held.state == "wanted" or news.lost:
            case = await self._change(case, lambda now: docket.filed(now, news))
        seed = news.seed
        if seed is None or news.lost:
            return case
        pool = await self._pool(held.filing.snapshot)
        return await self._change(case, lambda now: docket.drawn(now, pool, seed, self._clock()))

    async def _conclude(self, case: Case) -> Case:
        """Whether a bigger panel can be seated is read from the snapshot of the last one, which everybody can check."""
        filing = case.last.filing
        assert filing is not None, "a hearing that is over was filed"
        pool = await self._pool(filing.snapshot)

        def can(seats: int) -> bool:
            return _fills(pool, case, seats)

        salt = secrets.token_hex(32)
        return await self._change(case, lambda now: docket.concluded(now, can, salt, self._clock()))

    async def _change(self, case: Case, change: Change) -> Case:
        now = await self._store.court.change(case.session, change)
        assert now is not None, "cases are never deleted"
        if (now.last.hearing, now.last.state, now.state) != (
            case.last.hearing,
            case.last.state,
            case.state,
        ):
            _logger.info(
                "case",
                session=now.session,
                hearing=now.last.hearing,
                state=now.last.state if now.state == "open" else now.state,
                note=now.last.note or now.note,
            )
        return now

    async def _document(self, case: Case) -> None:
        """The file of a case that is over, kept where the transcripts are. Raises NotNow while that is away."""
        numbers = {each.filing.snapshot for each in finished(case) if each.filing is not None}
        if not numbers:  # no hearing has come to its end: there is nothing to show
            await self._store.court.keep_document(case.session, b"", "")
            return
        snapshots = [(await self._pool(number)).snapshot for number in sorted(numbers)]
        document = self._sign(document_of(case, self._court, snapshots))
        await self._content.keep(document)
        name = str(cid.of(document))
        await self._store.pin_tasks.give([NewPinTask(name, len(document), "case", case.session)])
        await self._store.court.keep_document(case.session, document, name)

    async def _pool(self, snapshot: int) -> Pool:
        found = self._pools.get(snapshot)
        if found is None:
            found = await self._chain.pool(snapshot)
            while len(self._pools) >= 8:
                self._pools.pop(next(iter(self._pools)))
            self._pools[snapshot] = found
        return found


@contextmanager
def _others_go_on(failures: list[Exception]) -> Iterator[None]:
    """One case that cannot go on holds up no other."""
    try:
        yield
    except Exception as error:  # whatever store, chain and content store raise
        failures.append(error)


def _fills(pool: Pool, case: Case, seats: int) -> bool:
    return coverable(pool.candidates(), seats, int(case.terms.lock))


def _drafts(case: Case) -> list[Filing]:
    """What is to be filed of a case, if anything."""
    held = case.last
    return [held.filing.filing()] if held.state == "wanted" and held.filing is not None else []
