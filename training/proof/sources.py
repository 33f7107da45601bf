"""Where a proof's documents are had from: files in a folder, a content store, or one after the other. All are checked against their ids."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from types import TracebackType

from chain.content import cid as cids
from chain.content import unixfs
from chain.content.errors import IpfsError, Unavailable
from chain.content.ipfs import Ipfs
from training.proof.shown import Away, Fetch, NotThere

SUFFIXES = (".json", ".safetensors")
"""Files that may be a proof's, besides those that are called by a content id; others are not even opened, for whoever keeps a card in
his home."""
_CID = re.compile(r"b[a-z2-7]{58}")
MAX_FILES = 20_000
MAX_INDEXED = 1 << 30
"""Bytes of a file that is looked at."""


class Folder:
    """Files by what is in them, not by what they are called: any folder that has a proof's documents will do."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[str, Path] | None = None

    def fetch(self, cid: str, most: int) -> bytes:
        """Raises NotThere."""
        if self._paths is None:
            self._paths = {_id(path): path for path in _files(self._folder)}
        path = self._paths.get(cid)
        if path is None:
            raise NotThere(f"no file in {self._folder} has these bytes")
        with path.open("rb") as opened:
            content = opened.read(most + 1)
        if len(content) > most:
            raise NotThere(f"{path} has more than {most} bytes")
        if str(unixfs.cid_of(content)) != cid:
            raise NotThere(f"{path} has changed while it was read")
        return content


class Store:
    """A content store. Enter it before use; it has an event loop of its own, in which it is asked one thing after the other."""

    def __init__(self, opened: Callable[[], AbstractAsyncContextManager[str]]) -> None:
        """`opened` gives the store's address while it is entered."""
        self._opened = opened
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._ipfs: Ipfs | None = None

    def __enter__(self) -> Store:
        self._runner.__enter__()
        try:
            self._ipfs = self._runner.run(self._enter())
        except BaseException:
            self._runner.close()
            raise
        return self

    async def _enter(self) -> Ipfs:
        url = await self._stack.enter_async_context(self._opened())
        return await self._stack.enter_async_context(Ipfs(url))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.__exit__(kind, error, trace)

    def fetch(self, cid: str, most: int) -> bytes:
        """Raises NotThere, Away."""
        assert self._ipfs is not None, "entered"
        try:
            return self._runner.run(self._ipfs.cat(cids.parse(cid), most))
        except Unavailable as error:
            raise Away(str(error)) from None
        except (cids.NotACid, IpfsError) as error:
            raise NotThere(str(error)) from None


def first_of(sources: Sequence[Fetch]) -> Fetch:
    """The first that has it. Where none has, the last one's word; one that could not be asked may have it."""

    def fetch(cid: str, most: int) -> bytes:
        away: Away | None = None
        missing = NotThere("there is nowhere to look: name a content store by --ipfs")
        for source in sources:
            try:
                return source(cid, most)
            except NotThere as error:
                missing = error
            except Away as error:
                away = error
        raise away or missing

    return fetch


def _files(folder: Path) -> Iterator[Path]:
    """Those that may be documents, without links, in the order of their names; no more than MAX_FILES."""
    left = MAX_FILES
    for where, below, names in os.walk(folder):
        below.sort()
        for name in sorted(names):
            path = Path(where, name)
            known = path.suffix in SUFFIXES or _CID.fullmatch(name)
            if not known or path.is_symlink() or not path.is_file():
                continue
            if path.stat().st_size <= MAX_INDEXED:
                left -= 1
                if left < 0:
                    return
                yield path


def _id(path: Path) -> str:
    """Empty for a file that cannot be read."""
    try:
        return str(unixfs.cid_of(path.read_bytes()))
    except OSError:
        return ""
