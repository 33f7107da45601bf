"""The step `pin`: the sealed transcript into the content store, under the id that anybody can fetch and check it by. Where the
money is on a chain it is signed first: from then on its bytes, and so its id, are what they are.

Its rows have a loop of their own and no wake-ups: many transcripts go in one request, and while the store is away their
rows are left alone. Nothing waits for this step, whatever becomes of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import structlog

from server.clock import Clock
from server.convoy import Convoy
from server.embedded.data_dir import ServiceFailed
from server.jobs.aftermath import Aftermath, Change, step_change
from server.jobs.attempt import Attempts
from server.jobs.faults import NotNow, Permanent
from server.jobs.fence import Fence
from server.metrics import Metrics
from server.protocol import Step
from server.store import Store
from server.store.pins import NAME as NAME
from server.store.pins import NewPin, PinRow

if TYPE_CHECKING:
    from chain.content.cid import Cid
    from chain.content.ipfs import Ipfs
    from server.settlement.documents import SessionDocuments

SHOWN = "pinned"
TIMEOUT_S = 60.0
TOGETHER = 64
"""Transcripts in one request, and rows in one look."""
LOOK_S = 0.5
"""How soon a transcript that can be pinned is noticed, where the last look found few."""
AWAY_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Waits between looks while the content store does not serve."""

_logger = structlog.get_logger()

Open = Callable[[], Awaitable[str]]
"""The content store's address; starts the embedded one where it does not run. Raises ServiceFailed."""


class ContentStore:
    """The connection to the content store, opened when it is first needed and anew after it has failed."""

    def __init__(self, open_: Open) -> None:
        self._open = open_
        self._ipfs: Ipfs | None = None
        self._keeping: Convoy[bytes, Cid] = Convoy(self._keep, lambda document: document, TOGETHER)
        self.away = True
        """Nothing has been kept since something could not be."""

    async def keep(self, document: bytes) -> Cid:
        """Keep and pin a document of at most one block. Raises NotNow."""
        return await self._keeping.ride(document)

    async def add(self, document: bytes) -> Cid:
        """Keep and pin a document of any size, as a file where it is larger than a block. Raises NotNow."""
        from chain.content.dag_pb import MAX_BLOCK
        from chain.content.errors import IpfsError

        if len(document) <= MAX_BLOCK:
            return await self.keep(document)
        try:
            return await (await self._connected()).add(document)
        except (IpfsError, ServiceFailed, OSError) as error:
            self.away = True
            await self.close()
            raise NotNow(str(error)) from None

    async def _keep(self, documents: Sequence[bytes]) -> Sequence[Cid | Exception]:
        from chain.content.errors import IpfsError, Unavailable

        try:
            ipfs = await self._connected()
            kept = await ipfs.keep(documents)
        except (Unavailable, ServiceFailed, OSError) as error:
            self.away = True
            await self.close()
            return [NotNow(str(error))] * len(documents)
        except IpfsError as error:
            # Where it is one document's fault, the others go alone; where it is the store's, all come back later.
            self.away = True
            raise NotNow(str(error)) from None
        self.away = False
        return kept

    async def block(self, id_: Cid) -> bytes:
        """The bytes of a block, from whoever the content store reaches. Raises IpfsError."""
        from chain.content.errors import Unavailable

        try:
            return await (await self._connected()).block(id_)
        except (ServiceFailed, OSError) as error:
            await self.close()
            raise Unavailable(str(error)) from None

    async def file(self, id_: Cid, max_bytes: int) -> bytes:
        """The bytes of a document of any size, as `add` keeps it. Raises IpfsError."""
        from chain.content.errors import Unavailable

        try:
            return await (await self._connected()).cat(id_, max_bytes)
        except (ServiceFailed, OSError) as error:
            await self.close()
            raise Unavailable(str(error)) from None

    async def unpin(self, id_: Cid) -> None:
        """Keep it no more. Idempotent. Raises NotNow."""
        from chain.content.errors import IpfsError

        try:
            await (await self._connected()).unpin(id_)
        except (IpfsError, ServiceFailed, OSError) as error:
            await self.close()
            raise NotNow(str(error)) from None

    async def look(self) -> None:
        """See whether it answers. Raises IpfsError, ServiceFailed."""
        await (await self._connected()).version()

    async def _connected(self) -> Ipfs:
        from chain.content.ipfs import Ipfs

        if self._ipfs is None:
            url = await self._open()
            if self._ipfs is None:  # else somebody has opened it meanwhile
                self._ipfs = Ipfs(url)
        return self._ipfs

    async def close(self) -> None:
        """Idempotent; it is opened again when it is needed."""
        ipfs, self._ipfs = self._ipfs, None
        if ipfs is not None:
            await ipfs.close()


class PinStep:
    name = NAME
    timeout_s = TIMEOUT_S

    def __init__(
        self,
        *,
        store: Store,
        aftermath: Aftermath,
        content: ContentStore,
        metrics: Metrics,
        documents: SessionDocuments | None = None,
    ) -> None:
        """`documents` signs; None where no chain gives a signature a meaning."""
        self._documents = documents
        self._store = store
        self._aftermath = aftermath
        self._content = content
        self._metrics = metrics

    async def run(self, session: str, fence: Fence) -> dict[str, object]:
        row = await self._store.pins.get(session) or await self._pin(session)
        done = Step(SHOWN, "done", row.cid)
        change = Change(SHOWN, "host", {"cid": row.cid, "bytes": row.bytes}, (done,))
        await fence.check()
        await self._aftermath.tell(session, change, once=SHOWN)
        return {"cid": row.cid, "bytes": row.bytes}

    async def _pin(self, session: str) -> PinRow:
        wanted = await self._store.pins.wanted(session)
        if wanted is None:
            raise Permanent("there is no transcript")
        document = wanted.document
        if self._documents is not None:
            document = await self._documents.transcript(session) or document
        id_ = await self._content.keep(document)
        size = len(document)
        self._metrics.pinned_bytes.inc(size)
        return await self._store.pins.put(NewPin(session, str(id_), size, wanted.sealed_ms))

    async def give_up(self, session: str, reason: str) -> None:
        await self._aftermath.tell(
            session, step_change(Step(SHOWN, "failed", f"not pinned: {reason}"))
        )


class Pinning:
    """Takes the rows of the steps that are due, many at a time. Any number of processes may."""

    def __init__(
        self,
        *,
        store: Store,
        content: ContentStore,
        attempts: Attempts,
        clock: Clock,
        steps: Sequence[str] = (NAME,),
    ) -> None:
        self._steps = steps
        self._outbox = store.outbox
        self._content = content
        self._attempts = attempts
        self._clock = clock
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False

    async def run(self) -> None:
        """Until cancelled; attempts under way are cancelled, too, and put their rows back."""
        failures = 0
        try:
            while not self._draining:
                try:
                    found = await self._round(look=failures > 0 or self._content.away)
                except Exception as error:
                    self._content.away = True
                    if failures == 0:
                        _logger.warning("nothing is pinned now", reason=str(error) or repr(error))
                    found = 0
                failures = failures + 1 if self._content.away else 0
                if failures:
                    await asyncio.sleep(AWAY_S[min(failures, len(AWAY_S)) - 1])
                elif found < TOGETHER:
                    await asyncio.sleep(LOOK_S)
        finally:
            await self._content.close()

    async def drain(self, timeout_s: float) -> None:
        """Take no more, and wait until the attempts under way are done, at most `timeout_s`."""
        self._draining = True
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            _logger.warning("transcripts left to be pinned by another worker")

    async def _round(self, *, look: bool) -> int:
        """How many rows there were. `look`: only if the content store answers; else the rows are left alone."""
        if look:
            await self._content.look()
        rows = await self._outbox.due(self._clock(), TOGETHER, self._steps)
        if rows and not self._draining:
            self._idle.clear()
            try:
                await asyncio.gather(*(self._attempts.run_row(row) for row in rows))
            finally:
                self._idle.set()
        elif look:
            self._content.away = (
                False  # it answers, and nothing says that it would not keep what comes
            )
        return len(rows)
