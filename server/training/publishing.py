"""An adapter becomes one of the arena's: within its owner's bounds, in the content store, in the records, and with operators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, Protocol

from chain.content import cid, unixfs
from chain.content.cid import Cid, Codec
from server.clock import Clock
from server.config import Config
from server.store import Store
from server.store.adapters import AdapterRow
from server.store.pin_tasks import NewPinTask
from training.adapters.package import Package

KIND: Literal["adapter"] = "adapter"


class OwnerFull(Exception):
    """Its owner has as many adapters, or as many bytes of them, as the arena keeps for one; the text says what to do."""


class Content(Protocol):
    async def add(self, document: bytes) -> Cid: ...


async def publish(
    package: Package,
    *,
    owner: str,
    agent: str,
    store: Store,
    content: Content,
    config: Config,
    clock: Clock,
) -> AdapterRow:
    """Keep it, enter it, and ask operators to keep its blocks. Idempotent: an adapter that is here already stays as it is.

    Raises OwnerFull; NotNow while the content store is away, and then nothing was entered.
    """
    known = await store.adapters.get(package.cid)
    if known is not None:
        return known
    check(await store.adapters.live_of_owner(owner), package.bytes, config)
    for data in package.files:
        await content.add(data)
    row = await store.adapters.add(
        AdapterRow(
            card=package.cid,
            weights=package.card.weights,
            gguf=package.card.gguf,
            owner=owner,
            agent=agent,
            space=package.card.space,
            base_sha256=package.card.base.sha256,
            bytes=package.bytes,
            parent=package.card.parent,
            created_ms=clock(),
        )
    )
    await store.pin_tasks.give(list(pin_tasks(package.cid, package.files)))
    return row


def check(live: list[AdapterRow], size: int, config: Config) -> None:
    """Raise OwnerFull where an adapter of `size` bytes is more than fits beside those that are kept. Pure."""
    if len(live) >= config.adapters_per_owner:
        raise OwnerFull(
            f"{len(live)} adapters are kept for you, the most for an owner: retire one that plays no more (`agon training retire`)"
        )
    kept = sum(each.bytes for each in live)
    if kept + size > config.adapter_bytes_per_owner:
        raise OwnerFull(
            f"your adapters have {kept:,} bytes, this one {size:,}; {config.adapter_bytes_per_owner:,} are kept"
            " for an owner: retire one that plays no more (`agon training retire`), or train with a smaller rank"
        )


def pin_tasks(card: str, files: Iterable[bytes]) -> Iterator[NewPinTask]:
    """Every block of the files of an adapter, once. Operators keep raw blocks: the node above a large file's pieces is given by the raw id of its
    bytes, which has the digest that the file's id has, and by which content stores find it. Pure."""
    of = f"{KIND}:{cid.parse(card).digest.hex()[:16]}"
    seen: set[str] = set()
    for data in files:
        for block in unixfs.blocks([data]):
            name = str(Cid(Codec.RAW, block.cid.digest))
            if name not in seen:
                seen.add(name)
                yield NewPinTask(name, len(block.data), KIND, of)
