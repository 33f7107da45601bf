"""`agon-training/1`: made, read, and held against the adapter's card and the data card. Pure.

What is read may come from anybody: every part of it has a bound, and a manifest that contradicts itself is none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from chain.content import unixfs
from chain.documents import form
from chain.documents.form import DocumentError
from training.documents.adapter import AdapterCard, Base
from training.documents.data import DataCard
from training.documents.training import VERSION, Checkpoint, Step, TrainingManifest
from training.recipes.config import TrainConfig

MAX_BYTES = 16 << 20
"""100,000 steps of 150 bytes. Up to 1 MiB, 7,000 steps, it is one raw block; beyond that a file of blocks."""
FORMS = {"sft": "winners", "dpo": "pairs", "kto": "labelled", "grpo": "groups"}
"""What each recipe learns from."""


def make(
    *,
    base: Base,
    data: str,
    config: Mapping[str, Any],
    start: str,
    steps: Sequence[Step],
    states: Mapping[int, str],
    device: str,
    code: Mapping[str, str],
    parent: str | None = None,
) -> bytes:
    """The canonical bytes. `states` are content ids by step. Raises DocumentError where what was recorded is no whole training."""
    document = form.encode(
        TrainingManifest(
            base=base,
            parent=parent,
            data=data,
            config=dict(config),
            code=dict(code),
            device=device,
            start=start,
            steps=list(steps),
            checkpoints=[Checkpoint(step=step, state=cid) for step, cid in sorted(states.items())],
        )
    )
    read(document)
    return document


def cid_of(document: bytes) -> str:
    """The content id that a store gives the file: of a document up to 1 MiB that of one raw block."""
    return str(unixfs.cid_of(document))


def read(document: bytes) -> TrainingManifest:
    """Raises DocumentError: not canonical, out of bounds, or contradicting itself."""
    found = form.read(document, TrainingManifest, version=VERSION, max_bytes=MAX_BYTES)
    config = config_of(found.config)
    if len(found.steps) != config.steps:
        raise DocumentError(f"{len(found.steps)} steps, its config says {config.steps}")
    before = 0
    for each in found.checkpoints:
        if not before < each.step <= config.steps:
            raise DocumentError(f"a checkpoint of step {each.step} behind that of step {before}")
        before = each.step
    return found


def config_document(config: TrainConfig) -> dict[str, Any]:
    """The config without floats: rates are decimal text, the shortest that reads as the same number."""
    told: dict[str, Any] = _without_floats(msgspec.to_builtins(config))
    return told


def config_of(document: Mapping[str, Any]) -> TrainConfig:
    """A field that is not told is as it was before there was such a field: its default. Raises DocumentError."""
    try:
        found = msgspec.convert(dict(document), TrainConfig, strict=False)
    except msgspec.ValidationError as error:
        raise DocumentError(f"config: {error}") from None
    if not _is_within(document, config_document(found)):
        raise DocumentError("config: a number that is not written in its shortest form")
    return found


def against_card(found: TrainingManifest, card: AdapterCard) -> str:
    """What the manifest and the adapter's card say differently; empty: nothing."""
    lora = config_of(found.config).lora
    told = (
        ("the base", (found.base.name, found.base.sha256), (card.base.name, card.base.sha256)),
        ("the data card", found.data, card.data),
        ("the parent", found.parent, card.parent),
        ("the rank", lora.rank, card.rank),
        ("alpha", lora.alpha, card.alpha),
        ("the modules", sorted(lora.targets), list(card.targets)),
    )
    for what, here, there in told:
        if here != there:
            return f"of {what} the manifest says {_short(here)}, the card {_short(there)}"
    return ""


def against_data(found: TrainingManifest, data: DataCard, space: str) -> str:
    """What the manifest and the data card say differently; empty: nothing."""
    recipe = config_of(found.config).recipe
    if data.recipe.form != FORMS[recipe]:
        return f"{recipe} learns from {FORMS[recipe]}, and the data are {data.recipe.form}"
    if data.recipe.space != space:
        return f"the adapter is for {space}, and the data are of {data.recipe.space}"
    return ""


def _without_floats(value: Any) -> Any:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise DocumentError(f"config: {value} is no number")
        return repr(value)
    if isinstance(value, dict):
        return {key: _without_floats(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_floats(each) for each in value]
    return value


def _is_within(told: Any, whole: Any) -> bool:
    """Whether `told` is `whole`, but for fields that it does not have."""
    if isinstance(told, Mapping) and isinstance(whole, Mapping):
        return all(key in whole and _is_within(each, whole[key]) for key, each in told.items())
    return type(told) is type(whole) and told == whole


def _short(value: object) -> str:
    return f"{value!s:.200}"
