"""What the child process of a training is told, and what it says it has made: files in the job's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from training.recipes.config import TrainConfig

ORDER = "order.json"
LESSONS = "lessons"
"""Folder of transcripts and results, as `lesson_files` keeps them."""
MADE = "made.json"
CONTENTS = "contents"
"""Folder of what is to be pinned, each file called by its CID."""


class Weights(msgspec.Struct, frozen=True):
    """A base in a folder, as `training.model.base.Base`."""

    name: str
    folder: str
    sha256: str


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """All that a training is a function of, beside its lessons. Secret: it has the owner's system prompt."""

    space: str
    agent: str
    base: str | Weights
    """A name, to be found; or weights that lie somewhere."""
    config: TrainConfig
    form: Literal["winners", "pairs", "labelled"]
    options: dict[str, Any] = {}
    system: str
    parent: str | None = None
    """CID of the card of the adapter that it goes on from; its files are in the folder `parent`."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """CIDs of what lies in CONTENTS."""

    card: str
    data: str
    manifest: str
    weights: str
    gguf: str | None
    base_sha256: str
    bytes: int
    """Of the weights."""
    parent: str | None
    counts: dict[str, int]
    """The data card's."""


def write(file: Path, told: msgspec.Struct) -> None:
    """All at once or not at all; for its owner's eyes alone."""
    making = file.with_suffix(".making")
    making.unlink(missing_ok=True)
    making.touch(mode=0o600, exist_ok=False)
    making.write_bytes(msgspec.json.encode(told))
    making.replace(file)


def read_order(folder: Path) -> Order:
    return msgspec.json.decode((folder / ORDER).read_bytes(), type=Order)


def read_made(folder: Path) -> Made:
    return msgspec.json.decode((folder / MADE).read_bytes(), type=Made)
