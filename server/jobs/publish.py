"""The step `publish`: the session's signed result into the content store, where a chain moves the money.

As `pin`, it is done by the loop of what is pinned, and nothing waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.jobs.faults import TooEarly
from server.jobs.fence import Fence
from server.jobs.pin import TIMEOUT_S, ContentStore
from server.metrics import Metrics
from server.store import Store
from server.store.pins import PUBLISH

if TYPE_CHECKING:  # it brings eth-account with it
    from server.settlement.documents import SessionDocuments

NAME = PUBLISH


class PublishStep:
    name = NAME
    timeout_s = TIMEOUT_S

    def __init__(
        self,
        *,
        store: Store,
        documents: SessionDocuments,
        content: ContentStore,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._documents = documents
        self._content = content
        self._metrics = metrics

    async def run(self, session: str, fence: Fence) -> dict[str, object]:
        pin = await self._store.document_pins.get("result", session)
        if pin is None:
            result = await self._documents.result(session)
            if result is None:
                raise TooEarly("the session is not settled and rated, or a seat may still sign")
            id_ = await self._content.keep(result.document)
            size = len(result.document)
            self._metrics.pinned_bytes.inc(size)
            row = await self._store.sessions.get(session)
            assert row is not None, "it has a result"
            assert row.sealed_ms is not None, "it has a transcript"
            pin = await self._store.document_pins.put(
                "result", session, str(id_), size, row.sealed_ms
            )
        return {"cid": pin.cid, "bytes": pin.bytes}

    async def give_up(self, session: str, reason: str) -> None:
        """The arena hands the document out all the same."""
