"""What a training has made, into the content store and the registry."""

from __future__ import annotations

import asyncio
from pathlib import Path

from server.jobs.faults import StepFault
from server.jobs.pin import ContentStore
from server.store import Store
from server.store.adapters import AdapterRow
from server.store.training_jobs import JobRow
from server.training.flow import Packed
from server.training.order import CONTENTS, read_made


class Packing:
    """`flow.Packs`."""

    def __init__(self, store: Store, content: ContentStore) -> None:
        self._store = store
        self._content = content

    async def pack(self, job: JobRow, folder: Path) -> Packed:
        """Pin all that the child has made, then enter it: what is in the registry can be fetched. Idempotent. Raises NotNow where the
        content store is away."""
        made = read_made(folder)
        known = await self._store.adapters.get(made.card)
        if known is None:
            await self._keep(folder / CONTENTS)
            agent = await self._store.agents.get(job.agent)
            assert agent is not None, "agents are archived, never deleted"
            known = await self._store.adapters.add(
                AdapterRow(
                    card=made.card,
                    weights=made.weights,
                    gguf=made.gguf,
                    owner=agent.owner,
                    agent=job.agent,
                    space=job.space,
                    base_sha256=made.base_sha256,
                    bytes=made.bytes,
                    parent=made.parent,
                    created_ms=job.created_ms,
                )
            )
        return Packed(adapter=known, data=made.data, manifest=made.manifest)

    async def _keep(self, contents: Path) -> None:
        for path in await asyncio.to_thread(lambda: sorted(contents.iterdir())):
            cid = await self._content.add(await asyncio.to_thread(path.read_bytes))
            if str(cid) != path.name:
                raise StepFault(f"the content store calls {path.name} {cid}")
