"""`agon-training/1`: how an adapter was made, step by step, so that a stranger can make some steps again. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from chain.documents.form import Cid, Hex32, Name
from training.documents.adapter import Base

VERSION = "agon-training/1"

Micros = Annotated[int, Meta(ge=-(2**53) + 1, le=2**53 - 1)]


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """One update: `[loss, batch, weights]`. Steps count from 1."""

    loss: Micros
    """Micro-nats, the mean over the batch as the recipe defines it, before the update."""
    batch: Hex32
    """Over the token ids, labels and masks of the batch (`training.proof.digest`)."""
    weights: Hex32
    """Over the adapter's tensors after the update (`training.proof.digest`)."""


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where steps can be done again from without doing all before them."""

    step: Annotated[int, Meta(ge=1, le=100_000)]
    state: Cid
    """Adapter, optimiser, scheduler and random numbers after that step: a safetensors file (`training.proof.state`)."""


class TrainingManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal["agon-training/1"] = "agon-training/1"
    base: Base
    parent: Cid | None = None
    """The card of the adapter that the training went on from; null: from a fresh one, drawn by the config's seed."""
    data: Cid
    """`agon-data/1`."""
    config: Annotated[dict[str, Any], Meta(max_length=64)]
    """`TrainConfig` as JSON without floats (decimal text)."""
    code: Annotated[dict[str, Name], Meta(max_length=32)]
    """`agon` (version or commit), `torch`, `transformers`, `peft`, `trl`, `bitsandbytes`."""
    device: Name
    """Device class (`training.proof.device`): `cpu-<maker>-<level>-<threads>`, or `gpu-<name>`; only equal ones must agree to the bit."""
    start: Hex32
    """Of the adapter's tensors before the first step."""
    steps: Annotated[list[Step], Meta(min_length=1, max_length=100_000)]
    checkpoints: Annotated[list[Checkpoint], Meta(max_length=1_024)] = []
