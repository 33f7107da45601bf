"""From a finished run that was recorded to its manifest: what is pinned beside the adapter."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import msgspec

from chain.content import unixfs
from training.documents.adapter import Base
from training.proof import device, manifest, record

LIBRARIES = ("torch", "transformers", "peft", "trl", "bitsandbytes", "accelerate", "safetensors")


class Proof(msgspec.Struct, frozen=True):
    """What has to be kept for anybody to make steps again, besides the data."""

    document: bytes
    """`agon-training/1`."""
    cid: str
    states: Mapping[str, Path]
    """Files by content id: states that steps can be made again from."""


def prove(run: Path, *, base: Base, data: str, parent: str | None = None, on: str = "cpu") -> Proof:
    """The proof of the run in this folder. `data` is the data card's content id, `parent` that of the parent adapter's card, `on`
    torch's word for where it ran. Raises record.NotRecorded, and DocumentError for a run that is not finished."""
    found = record.recorded(run)
    states = {step: content_id(path) for step, path in found.states.items()}
    document = manifest.make(
        base=base,
        data=data,
        config=found.config,
        start=found.start,
        steps=found.steps,
        states=states,
        device=device.here(on, manifest.config_of(found.config).threads),
        code=code(),
        parent=parent,
    )
    paths = {cid: found.states[step] for step, cid in states.items()}
    return Proof(document, manifest.cid_of(document), paths)


def code() -> dict[str, str]:
    """The versions that a training's bits depend on, as far as they are installed."""
    found: dict[str, str] = {}
    for name in ("agon-arena", *LIBRARIES):
        try:
            found["agon" if name == "agon-arena" else name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def content_id(file: Path) -> str:
    """Of a file of any size, as a content store gives it."""
    builder = unixfs.Builder()
    with file.open("rb") as opened:
        while piece := opened.read(unixfs.MIB):
            for _ in builder.feed(piece):
                pass
    for _ in builder.close():
        pass
    return str(builder.root.cid)
