"""Where the model gateway has adapters from: the records say which there are, the content store has their bytes.

What was fetched lies in the data directory, checked once and named by its card's CID.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from chain.content import cid
from chain.content.cid import Cid
from chain.content.errors import IpfsError
from server.store.adapters import AdapterRow
from training.adapters import names, package
from training.adapters.names import NotAName, Served
from training.adapters.package import BadAdapter
from training.adapters.shapes import Dimensions
from training.documents.adapter import AdapterCard, Base
from training.serving.backend import BackendError
from training.serving.gateway import UnknownAdapter

OF_AGENT = 1_000
"""Adapters of one agent that are looked through, newest first."""
SHOWN = 100
FOLDERS = 64
"""Fetched adapters that are kept on the disk; what was asked for longest ago is fetched again."""


class Rows(Protocol):
    """What is used of `store.adapters.Adapters`."""

    async def of_agent(self, agent: str, limit: int = ...) -> list[AdapterRow]: ...
    async def named(self, limit: int) -> list[str]: ...


class Content(Protocol):
    async def file(self, id_: Cid, max_bytes: int) -> bytes: ...


class AdapterLibrary:
    """A `training.serving.gateway.Library`."""

    def __init__(
        self, rows: Rows, content: Content, folder: Path, base: Base, dimensions: Dimensions
    ) -> None:
        """`base` and its `dimensions`: what is served; adapters of another are refused."""
        self._rows = rows
        self._content = content
        self._folder = folder
        self._base = base
        self._dimensions = dimensions

    async def names(self) -> Sequence[str]:
        return await self._rows.named(SHOWN)

    async def folder(self, name: str) -> Path:
        try:
            served = names.parse(name)
        except NotAName as error:
            raise UnknownAdapter(str(error)) from None
        row = await self._row(served)
        folder = self._folder / row.card
        if not folder.is_dir():
            if row.retired_ms is not None:
                raise BackendError("it was retired, and its files have been let go")
            await self._fetch(cid.parse(row.card), folder)
        await asyncio.to_thread(self._used, folder)
        return folder

    async def _row(self, served: Served) -> AdapterRow:
        """Of that agent and with that hash: a name that was made up, or of another's adapter, is none."""
        for row in await self._rows.of_agent(served.agent, OF_AGENT):
            if cid.parse(row.card).digest.hex().startswith(served.sha8):
                return row
        raise UnknownAdapter(str(served))

    async def _fetch(self, id_: Cid, folder: Path) -> None:
        """Raises BackendError."""
        try:
            document = await self._content.file(id_, package.MAX_CARD)
            card = package.read_card(document)
            contents = {
                each: await self._content.file(cid.parse(each), most) for each, most in _wanted(card)
            }
            await asyncio.to_thread(
                package.unpack, card, contents, folder, self._base, self._dimensions
            )
        except (IpfsError, BadAdapter, OSError) as error:
            raise BackendError(str(error)) from None

    def _used(self, folder: Path) -> None:
        os.utime(folder)
        kept = sorted(
            (each for each in self._folder.iterdir() if not each.name.startswith(".")),
            key=lambda each: each.stat().st_mtime,
        )
        for each in kept[: max(0, len(kept) - FOLDERS)]:
            shutil.rmtree(each, ignore_errors=True)


def _wanted(card: AdapterCard) -> list[tuple[str, int]]:
    found = [(card.weights, package.MAX_WEIGHTS)]
    if card.gguf is not None:
        found.append((card.gguf, package.MAX_WEIGHTS))
    if card.fingerprint is not None:
        found.append((card.fingerprint, package.MAX_FINGERPRINT))
    return found
