"""`agon-training/1`: how an adapter was made, step by step, so that a stranger can make some steps again. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from chain.documents.form import Cid, Count, Hex32, Name
from training.documents.adapter import Base

VERSION = "agon-training/1"


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """One update: `[loss, batch, weights]`."""

    loss: int
    """Micro-nats, the mean over the batch as the recipe defines it."""
    batch: Hex32
    """SHA-256 over the token ids and labels of the batch (`training.proof`)."""
    weights: Hex32
    """SHA-256 over the adapter's tensors after it, by name."""


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where steps can be done again from without doing all before them."""

    step: Count
    state: Cid
    """Adapter, optimiser and scheduler after that step (`training.proof.state`)."""


class TrainingManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal["agon-training/1"] = "agon-training/1"
    base: Base
    data: Cid
    config: dict[str, Any]
    """`TrainConfig` as JSON without floats (decimal text)."""
    code: dict[str, Name]
    """`agon` (version or commit), `torch`, `transformers`, `peft`, `trl`, `bitsandbytes`."""
    device: Name
    """Device class: `cpu-<microarchitecture>-<threads>`, or a GPU's name; only equal ones must agree to the bit."""
    start: Hex32
    """Of the adapter's tensors before the first step."""
    steps: Annotated[list[Step], Meta(max_length=100_000)]
    checkpoints: Annotated[list[Checkpoint], Meta(max_length=1_024)] = []
