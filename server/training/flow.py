"""The way of a training, from its first transcript to the gate's word. One room for each state.

Each room is asked again after a crash, with the same folder if it is still there: what it has done it finds and does not do twice. A folder
that is gone, as on another machine, is filled anew: what a training learns from is a function of its row.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec

from server.store.adapters import AdapterRow
from server.store.training_jobs import JobRow
from server.training.held import Held
from server.training.states import OVER, State
from server.training.teaching import Told


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """What a training has made, pinned and entered in the registry."""

    adapter: AdapterRow
    data: str
    """CID of `agon-data/1`."""
    manifest: str
    """CID of `agon-training/1`."""


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """The gate's word."""

    promoted: str | None
    """The version that the candidate became; None: the version that was there is kept."""
    gate: str
    """The gate's id."""
    reason: str
    """In words, with the numbers that it rests on."""


class Collects(Protocol):
    async def collect(self, job: JobRow, folder: Path) -> None:
        """Put into the folder what the job learns from. Idempotent. Raises Permanent where that is too little."""


class Teaches(Protocol):
    async def teach(self, folder: Path, device: str, told: Told) -> None:
        """Make an adapter of it. See `teaching`."""


class Packs(Protocol):
    async def pack(self, job: JobRow, folder: Path) -> Packed:
        """Pin what was made, and enter it. Idempotent."""


class Serves(Protocol):
    async def load(self, job: JobRow, adapter: AdapterRow, folder: Path) -> None:
        """Have the model server answer by the adapter, proved to be used. Idempotent. Raises Permanent where it changes nothing."""

    async def unload(self, adapter: AdapterRow) -> None:
        """A candidate that plays no more. Idempotent."""


class Gates(Protocol):
    async def ruled(self, job: JobRow) -> Ruling | None:
        """What `rule` said, where it has spoken: nothing has to be made or loaded to hear it again."""

    async def rule(self, job: JobRow, adapter: AdapterRow) -> Ruling:
        """Have the candidate play against the version that it was made of, and promote it where it is better. A gate that was broken off
        goes on with what was played."""


class Rooms(msgspec.Struct, frozen=True):
    """Who does what."""

    collects: Collects
    teaches: Teaches
    packs: Packs
    serves: Serves
    gates: Gates


async def carry(held: Held, rooms: Rooms, folder: Path, device: str) -> None:
    """From wherever the job stands to its end. Raises what the rooms and `Held` raise; the job stays in the state it had then."""
    while held.job.state not in OVER:
        match held.job.state:
            case State.QUEUED:
                await held.move(State.COLLECTING)
            case State.COLLECTING:
                await rooms.collects.collect(held.job, folder)
                await held.move(State.TRAINING)
            case State.TRAINING:
                await rooms.collects.collect(held.job, folder)
                await rooms.teaches.teach(folder, device, held.told)
                await held.move(State.PACKAGING)
            case State.PACKAGING:
                await _package(held, rooms, folder, device)
            case _:
                await _gate(held, rooms, folder, device)


async def _package(held: Held, rooms: Rooms, folder: Path, device: str) -> None:
    packed = await _packed(held, rooms, folder, device)
    card = packed.adapter.card
    await held.note(data=packed.data, manifest=packed.manifest, adapter=card)
    await rooms.serves.load(held.job, packed.adapter, folder)
    await held.move(State.GATING)


async def _gate(held: Held, rooms: Rooms, folder: Path, device: str) -> None:
    ruling = await rooms.gates.ruled(held.job)
    if ruling is None:
        packed = await _packed(held, rooms, folder, device)
        await rooms.serves.load(held.job, packed.adapter, folder)
        ruling = await rooms.gates.rule(held.job, packed.adapter)
        if ruling.promoted is None:
            await rooms.serves.unload(packed.adapter)
    if ruling.promoted is None:
        await held.move(State.KEPT, gate=ruling.gate, reason=ruling.reason)
    else:
        await held.move(
            State.PROMOTED, gate=ruling.gate, reason=ruling.reason, promoted=ruling.promoted
        )


async def _packed(held: Held, rooms: Rooms, folder: Path, device: str) -> Packed:
    """What was made: found, or made again where the folder is gone."""
    await rooms.collects.collect(held.job, folder)
    await rooms.teaches.teach(folder, device, held.told)
    return await rooms.packs.pack(held.job, folder)
