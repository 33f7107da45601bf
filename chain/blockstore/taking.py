"""Taking in what a request brings: files, blocks, archives; some megabytes at a time, whatever its size."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial

import msgspec

from chain.blockstore.asked import BadRequest
from chain.blockstore.desk import Desk
from chain.blockstore.multipart import PartBegins
from chain.blockstore.store import BlockStore, Pin, StoreError
from chain.content import car, cid, dag_pb
from chain.content.car import BadCar
from chain.content.cid import Cid, Codec
from chain.content.dag_pb import MAX_BLOCK
from chain.content.unixfs import Block, Builder, Profile

BATCH_BYTES = 4 * 1024 * 1024
"""Written in one transaction: each costs a sync of the disk."""
BIG = 1024 * 1024
"""A block that is larger is kept where the sender says that he means it: others may not take it."""

Form = AsyncIterator[PartBegins | bytes]


class Added(msgspec.Struct, frozen=True):
    name: str
    cid: Cid
    size: int
    """Bytes of all its blocks."""


class Taken(msgspec.Struct, frozen=True):
    """What came of an archive."""

    roots: list[tuple[Cid, str]]
    """And why each could not be pinned; empty where it was."""
    blocks: int
    bytes: int


class Taking:
    """Gathers blocks and writes them in batches. What is never pinned, since the request failed, is for `collect`."""

    def __init__(self, desk: Desk, *, dry: bool = False) -> None:
        """`dry`: nothing is written."""
        self.desk = desk
        self.blocks = 0
        self.bytes = 0
        self._dry = dry
        self._held: list[Block] = []
        self._held_bytes = 0

    async def add(self, block: Block) -> None:
        """Raises Full."""
        self.blocks += 1
        self.bytes += len(block.data)
        self._held.append(block)
        self._held_bytes += len(block.data)
        if self._held_bytes >= BATCH_BYTES:
            await self.write()

    async def write(self, pins: Sequence[Pin] = ()) -> None:
        """All that is held, and the pins, in one transaction. Raises what `BlockStore.put` raises."""
        held = self._held
        if (held or pins) and not self._dry:
            await self.desk.do(lambda store: store.put(held, pins))
        self._held, self._held_bytes = [], 0


async def take_files(taking: Taking, form: Form, profile: Profile, *, pin: bool) -> list[Added]:
    """Each part is a file. Raises BadRequest for directories, and StoreError."""
    added: list[Added] = []
    part: PartBegins | None = None
    builder = Builder(profile)
    async for each in form:
        if isinstance(each, bytes):
            for block in builder.feed(each):
                await taking.add(block)
            continue
        if each.media_type == "application/x-directory":
            raise BadRequest("this store adds files: import a directory as an archive (dag/import)")
        if part is not None:
            added.append(await _finish(taking, builder, part.name))
        part, builder = each, Builder(profile)
    if part is None:
        raise BadRequest("no file was sent")
    added.append(await _finish(taking, builder, part.name))
    await taking.write([Pin(each.cid) for each in added] if pin else ())
    return added


async def _finish(taking: Taking, builder: Builder, name: str) -> Added:
    for block in builder.close():
        await taking.add(block)
    root = builder.root
    size = len(root.data)
    if root.cid.codec is Codec.DAG_PB:
        size = dag_pb.total(dag_pb.decode(root.data).links, root.data)
    return Added(name, root.cid, size)


async def take_blocks(
    taking: Taking, form: Form, codec: Codec, *, big: bool, pin: bool
) -> list[Block]:
    """Each part is a block. Raises BadRequest, StoreError."""
    parts: list[bytearray] = []
    most = MAX_BLOCK if big else BIG
    async for each in form:
        if not isinstance(each, bytes):
            parts.append(bytearray())
            continue
        parts[-1] += each
        if len(parts[-1]) > most:
            raise BadRequest(
                f"produced block is over {most} bytes: big blocks can't be exchanged with other peers"
            )
    if not parts:
        raise BadRequest("no block was sent")
    kept = [Block(cid.of(bytes(part), codec), bytes(part)) for part in parts]
    for block in kept:
        await taking.add(block)
    await taking.write([Pin(block.cid) for block in kept] if pin else ())
    return kept


async def take_archives(taking: Taking, form: Form, *, pin: bool) -> Taken:
    """Each part is a CAR. Raises BadRequest, StoreError."""
    roots: list[Cid] = []
    reader: car.Reader | None = None
    try:
        async for each in form:
            if isinstance(each, bytes):
                assert reader is not None, "bytes come behind the beginning of their part"
                for block in reader.feed(each):
                    await taking.add(block)
                continue
            roots += _ended(reader)
            reader = car.Reader()
        if reader is None:
            raise BadRequest("no archive was sent")
        roots += _ended(reader)
    except BadCar as error:
        raise BadRequest(f"import failed: {error}") from None
    if not pin:
        await taking.write()
        return Taken([(root, "") for root in roots], taking.blocks, taking.bytes)
    return Taken(await _pinned(taking, roots), taking.blocks, taking.bytes)


def _ended(reader: car.Reader | None) -> tuple[Cid, ...]:
    if reader is None:
        return ()
    reader.close()
    return reader.roots


async def _pinned(taking: Taking, roots: list[Cid]) -> list[tuple[Cid, str]]:
    """With what is still to be written, in one transaction; each root alone where that fails for one of them."""
    pins = [Pin(root) for root in roots]
    try:
        await taking.write(pins)
    except StoreError:
        await taking.write()
        return [(pin.cid, await taking.desk.do(partial(_refusal, pin))) for pin in pins]
    return [(root, "") for root in roots]


def _refusal(pin: Pin, store: BlockStore) -> str:
    try:
        store.pin(pin)
    except StoreError as error:
        return str(error)
    return ""
