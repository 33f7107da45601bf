"""What a training has made, into the content store and the registry."""

from __future__ import annotations

import asyncio
from pathlib import Path

from server.config import Config
from server.jobs.faults import Permanent, StepFault
from server.jobs.pin import ContentStore
from server.store import Store
from server.store.adapters import AdapterRow
from server.store.training_jobs import JobRow
from server.training import publishing
from server.training.flow import Packed
from server.training.order import CONTENTS, read_made
from server.training.publishing import OwnerFull


class Packing:
    """`flow.Packs`."""

    def __init__(self, store: Store, content: ContentStore, config: Config | None = None) -> None:
        """`config` has the bounds of an owner; None: those that an arena has of itself."""
        self._config = config or Config()
        self._store = store
        self._content = content

    async def pack(self, job: JobRow, folder: Path) -> Packed:
        """Pin all that the child has made, then enter it: what is in the registry can be fetched. Idempotent. Raises NotNow where the
        content store is away, Permanent where no more is kept for its owner."""
        made = read_made(folder)
        known = await self._store.adapters.get(made.card)
        if known is None:
            agent = await self._store.agents.get(job.agent)
            assert agent is not None, "agents are archived, never deleted"
            await self._check(agent.owner, made.bytes)
            files = await self._keep(folder / CONTENTS)
            await self._store.pin_tasks.give(list(publishing.pin_tasks(made.card, files)))
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

    async def _check(self, owner: str, size: int) -> None:
        try:
            publishing.check(await self._store.adapters.live_of_owner(owner), size, self._config)
        except OwnerFull as error:
            raise Permanent(str(error)) from None

    async def _keep(self, contents: Path) -> list[bytes]:
        files = []
        for path in await asyncio.to_thread(lambda: sorted(contents.iterdir())):
            files.append(await asyncio.to_thread(path.read_bytes))
            cid = await self._content.add(files[-1])
            if str(cid) != path.name:
                raise StepFault(f"the content store calls {path.name} {cid}")
        return files
