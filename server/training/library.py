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
from chain.content.cid import DIGEST_BYTES, Cid, Codec
from chain.content.errors import IpfsError
from server.store.adapters import AdapterRow
from training.adapters import names, package
from training.adapters.names import NotAName, Served
from training.adapters.package import BadAdapter
from training.adapters.shapes import Dimensions
from training.documents.adapter import AdapterCard, Base
from training.serving.backend import BackendError
from training.serving.gateway import UnknownAdapter

SHOWN = 100
FOLDERS = 64
"""Fetched adapters that are kept on the disk; what was asked for longest ago is fetched again."""


class Rows(Protocol):
    """What is used of `store.adapters.Adapters`."""

    async def beginning(self, card: str) -> list[AdapterRow]: ...
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
        """The adapter whose card has that hash. It may be another agent's, since a sparring partner plays with what it is the
        partner for; of two, the agent's own, and never one of two strangers."""
        found = [
            row
            for row in await self._rows.beginning(_beginning(served.sha8))
            if cid.parse(row.card).digest.hex().startswith(served.sha8)
        ]
        own = [row for row in found if row.agent == served.agent] or found
        if not own:
            raise UnknownAdapter(str(served))
        if len(own) > 1:
            raise BackendError(
                f"{len(own)} adapters have {served.sha8}: which one is meant is not to be told"
            )
        return own[0]

    async def _fetch(self, id_: Cid, folder: Path) -> None:
        """Raises BackendError."""
        try:
            document = await self._content.file(id_, package.MAX_CARD)
            card = package.read_card(document)
            contents = {
                each: await self._content.file(cid.parse(each), most)
                for each, most in _wanted(card)
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


def _beginning(sha8: str) -> str:
    """The characters of a card's CID that four bytes of its digest decide: five bits each, of 64 with those before them."""
    return str(Cid(Codec.RAW, bytes.fromhex(sha8).ljust(DIGEST_BYTES, b"\0")))[: 1 + 64 // 5]
