"""The client of a content store, which is an IPFS node or our own: nothing that it says is believed.

What is added gets the id that we computed, or it was not added; what is read is checked against its id, block by block,
and is never larger than the asker allows. Everything ends in time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from chain.content import car, cid, pin_set, unixfs
from chain.content.car import MAX_ROOTS, BadCar
from chain.content.cid import Cid, NotACid
from chain.content.dag_pb import MAX_BLOCK, NotANode
from chain.content.errors import IpfsError, Refused, TooLarge, Unavailable, WrongContent
from chain.content.pin_set import Entry
from chain.content.rpc import Rpc
from chain.content.unixfs import MAX_DEPTH, V1_2025, Block

TIMEOUT_S = 15.0
"""Of one request; of each piece of one whose answer has no bound."""
TRIES = 3
"""Of what only reads; what writes is tried again by who knows what it is for."""
FIRST_WAIT_S = 0.2
BATCH_BYTES = 8 * 1024 * 1024
"""Of blocks that are put in one request."""
BATCH_BLOCKS = 512
MAX_LINE = 64 * 1024
MAX_ADD = 64 * 1024 * 1024
"""Bytes of a file that is added from memory; larger ones come as archives."""

T = TypeVar("T")


class Pinned(msgspec.Struct, frozen=True):
    cid: Cid
    recursive: bool
    name: str
    """Empty with nodes that keep no names."""


class Imported(msgspec.Struct, frozen=True):
    root: Cid
    error: str
    """Why it could not be pinned; empty where it is."""


class Ipfs:
    """Enter it in the event loop that uses it. Errors are those of `chain.content.errors`, and BadUrl."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._rpc = Rpc(url, timeout_s)
        self._rng = random.Random()  # noqa: S311 - spreads retries, guards nothing

    async def __aenter__(self) -> Ipfs:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Idempotent."""
        await self._rpc.close()

    async def version(self) -> str:
        """What the node says of itself: also a sign of life."""
        [told] = await self._reading(lambda: self._rpc.ask("version"))
        return str(told.get("Version", ""))

    async def peer_id(self) -> str:
        """Who the node is in its network."""
        [told] = await self._reading(lambda: self._rpc.ask("id"))
        return str(told.get("ID", ""))

    async def add(self, data: bytes, *, pin: bool = True) -> Cid:
        """Keep a file, laid out by `unixfs-v1-2025`. Idempotent. Raises WrongContent where the node gives another id."""
        if len(data) > MAX_ADD:
            raise TooLarge(f"a file of {len(data)} bytes: the limit of adding is {MAX_ADD}")
        told = await self._rpc.ask(
            "add",
            data,
            cid_version=1,
            raw_leaves=True,
            chunker=f"size-{V1_2025.chunk}",
            pin=pin,
            quieter=True,
        )
        expected = unixfs.cid_of(data)
        given = told[-1].get("Hash") if told else None
        if given != str(expected):
            raise WrongContent(f"{self._rpc.address} calls {expected} {given!s:.80}")
        return expected

    async def put(self, blocks: Sequence[Block], roots: Sequence[Cid] = ()) -> list[Imported]:
        """Keep blocks, and pin the roots with all that is below them: as one archive in one request. Idempotent."""
        return await self._import(car.archive(roots, blocks), roots)

    async def keep(self, documents: Sequence[bytes]) -> list[Cid]:
        """Keep documents of at most one block each, and pin each; in as few requests as may be. Idempotent.

        Raises Refused where one of them is not pinned: of the others nothing is known then.
        """
        blocks = [Block(cid.of(document), document) for document in documents]
        for batch in _batches(blocks):
            for each in await self.put(batch, [block.cid for block in batch]):
                if each.error:
                    raise Refused(f"{self._rpc.address} does not pin {each.root}: {each.error}")
        return [block.cid for block in blocks]

    async def block(self, id_: Cid) -> bytes:
        """The bytes of a block, which are the id's."""
        data = await self._reading(lambda: self._rpc.whole("block/get", MAX_BLOCK, arg=id_))
        if not id_.is_of(data):
            raise WrongContent(f"{self._rpc.address} gives other bytes than those of {id_}")
        return data

    async def cat(self, id_: Cid, max_bytes: int) -> bytes:
        """The bytes of a file of at most `max_bytes`."""
        held: list[bytes] = []
        size = await self._gather(id_, max_bytes, held, 0)
        assert size == sum(map(len, held)), "each node's size was checked against its links'"
        return b"".join(held)

    async def _gather(self, id_: Cid, most: int, held: list[bytes], depth: int) -> int:
        """Append the file below the id; returns its size."""
        try:
            node = unixfs.read(id_, await self.block(id_))
        except NotANode as error:
            raise WrongContent(f"{id_} is no file: {error}") from None
        if node.size > most or depth > MAX_DEPTH:
            raise TooLarge(f"{id_} has {node.size} bytes, in {depth} levels: the limit is {most}")
        held.append(node.data)
        for link, size in zip(node.links, node.sizes, strict=True):
            if await self._gather(link.cid, size, held, depth + 1) != size:
                raise WrongContent(f"{link.cid} is not of the {size} bytes that its parent says")
        return node.size

    async def pin(self, id_: Cid, name: str = "") -> None:
        """Have the node keep it, with all that is below. Idempotent. Raises NotThere where it cannot be had."""
        named = {"name": name} if name else {}
        await self._rpc.ask("pin/add", arg=id_, recursive=True, progress=False, **named)

    async def unpin(self, id_: Cid) -> bool:
        """False where it was not pinned."""
        try:
            await self._rpc.ask("pin/rm", arg=id_, recursive=True)
        except Refused as error:
            if "not pinned" in str(error):
                return False
            raise
        return True

    async def pinned(self, id_: Cid) -> bool:
        """Whether the node keeps it, by itself or below another."""
        try:
            await self._reading(lambda: self._rpc.ask("pin/ls", arg=id_, type="all"))
        except Refused as error:
            if "not pinned" in str(error):
                return False
            raise
        return True

    async def pins(self) -> AsyncIterator[Pinned]:
        """All pins that were made, as the node lists them; those below others are not among them."""
        for kind in ("recursive", "direct"):
            pieces = self._rpc.pieces("pin/ls", type=kind, stream=True, names=True)
            async for line in _lines(pieces):
                yield _pinned(line, kind)

    async def collect(self) -> int:
        """Have the node drop what nothing pins; returns how many blocks that were."""
        return len([each async for each in _lines(self._rpc.pieces("repo/gc"))])

    async def export(self, root: Cid) -> AsyncIterator[bytes]:
        """A CAR of the root and all below it, as it comes; every block in it is checked before it is passed on."""
        reader = car.Reader()
        yield car.header([root])
        try:
            async for piece in self._rpc.pieces("dag/export", arg=root, progress=False):
                for block in reader.feed(piece):
                    yield car.section(block)
            reader.close()
        except BadCar as error:
            raise WrongContent(f"{self._rpc.address} exports {root} wrongly: {error}") from None

    async def import_car(self, pieces: AsyncIterator[bytes]) -> list[Imported]:
        """Keep what is in a CAR and pin its roots. Its blocks are checked here before they are sent."""
        wrong: list[BadCar] = []
        try:
            return await self._import(_checked(pieces, wrong), None)
        except IpfsError:
            if wrong:  # what broke the request off
                raise WrongContent(str(wrong[0])) from None
            raise

    async def pin_set(self, name: str, entries: Iterable[Entry]) -> Cid:
        """Make one id of many that are here, and pin it by that name: who pins it keeps all of them. Idempotent."""
        blocks = list(pin_set.blocks(entries))
        for batch in _batches(blocks):
            await self.put(batch)
        root = blocks[-1].cid
        await self.pin(root, name)
        return root

    async def _import(
        self, archive: bytes | AsyncIterator[bytes], roots: Sequence[Cid] | None
    ) -> list[Imported]:
        pin = roots is None or len(roots) > 0
        held = b""
        async for piece in self._rpc.pieces("dag/import", archive, pin_roots=pin, stats=False):
            held += piece
            if len(held) > MAX_ROOTS * 512:
                raise TooLarge(f"{self._rpc.address} says more of an import than it has to")
        found = [each for each in map(_imported, held.splitlines()) if each is not None]
        missing = {*(roots or ())} - {each.root for each in found}
        if missing:
            raise Refused(
                f"{self._rpc.address} says nothing of {min(missing)}, which it had to pin"
            )
        return found

    async def _reading(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Again, after a while, where the node was not to be had."""
        for number in range(TRIES - 1):
            try:
                return await ask()
            except Unavailable:
                await asyncio.sleep(FIRST_WAIT_S * 2**number * self._rng.uniform(0.5, 1))
        return await ask()


def _batches(blocks: Sequence[Block]) -> Iterable[list[Block]]:
    batch: list[Block] = []
    held = 0
    for block in blocks:
        if batch and (held + len(block.data) > BATCH_BYTES or len(batch) == BATCH_BLOCKS):
            yield batch
            batch, held = [], 0
        batch.append(block)
        held += len(block.data)
    if batch:
        yield batch


async def _checked(pieces: AsyncIterator[bytes], wrong: list[BadCar]) -> AsyncIterator[bytes]:
    """The same archive, its blocks checked; what is wrong with it is noted, since it is raised within a request."""
    reader = car.Reader()
    begun = False
    try:
        async for piece in pieces:
            for block in reader.feed(piece):
                yield car.section(block) if begun else car.header(reader.roots) + car.section(block)
                begun = True
        reader.close()
    except BadCar as error:
        wrong.append(error)
        raise
    if not begun:
        yield car.header(reader.roots)


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    held = b""
    async for piece in pieces:
        *lines, held = (held + piece).split(b"\n")
        if len(held) > MAX_LINE:
            raise TooLarge(f"a line of more than {MAX_LINE} bytes")
        for line in filter(None, lines):
            yield line
    if held:
        yield held


def _pinned(line: bytes, kind: str) -> Pinned:
    try:
        told: dict[str, Any] = msgspec.json.decode(line)
        return Pinned(cid.parse(told["Cid"]), kind == "recursive", str(told.get("Name", "")))
    except (msgspec.DecodeError, KeyError, TypeError, NotACid) as error:
        raise Refused(f"a pin that cannot be read: {error}") from None


def _imported(line: bytes) -> Imported | None:
    """What an import says of a root; None for anything else that it says."""
    try:
        told = msgspec.json.decode(line).get("Root")
        if told is None:
            return None
        return Imported(cid.parse(told["Cid"]["/"]), str(told.get("PinErrorMsg", "")))
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError, NotACid) as error:
        raise Refused(f"an import that cannot be read: {error}") from None
