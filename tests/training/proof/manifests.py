"""A small manifest, for tests."""

from __future__ import annotations

from typing import Any

import msgspec

from training.documents.adapter import AdapterCard, Base
from training.documents.data import DataCard, DataRecipe
from training.documents.training import Checkpoint, Step, TrainingManifest
from training.proof.manifest import config_document
from training.recipes.config import LoraShape, TrainConfig

CID = "bafkrei" + "a" * 52
OTHER = "bafkrei" + "b" * 52
CODE = {"agon": "0.1.0", "torch": "2.13.0"}
DEVICE = "cpu-intel-avx512_amx-1"
CONFIG = TrainConfig(
    steps=4,
    batch=2,
    micro_batch=2,
    threads=1,
    checkpoint_every=2,
    lora=LoraShape(targets=("q_proj",)),
)


def hexed(number: int) -> str:
    return f"{number:064x}"


def step(number: int, **changes: Any) -> Step:
    told = Step(loss=2_000_000 - number, batch=hexed(number), weights=hexed(100 + number))
    return msgspec.structs.replace(told, **changes)


def manifest(config: TrainConfig = CONFIG, **changes: Any) -> TrainingManifest:
    told = TrainingManifest(
        base=Base(name="tiny", sha256=hexed(7)),
        data=CID,
        config=config_document(config),
        code=CODE,
        device=DEVICE,
        start=hexed(100),
        steps=[step(number) for number in range(1, config.steps + 1)],
        checkpoints=[Checkpoint(step=2, state=CID), Checkpoint(step=4, state=OTHER)],
    )
    return msgspec.structs.replace(told, **changes)


def card(**changes: Any) -> AdapterCard:
    told = AdapterCard(
        base=Base(name="tiny", sha256=hexed(7)),
        space="bid-tac-toe",
        agent="mine",
        rank=CONFIG.lora.rank,
        alpha=CONFIG.lora.alpha,
        targets=sorted(CONFIG.lora.targets),
        weights=CID,
        bytes=1_000,
        data=CID,
        training=OTHER,
    )
    return msgspec.structs.replace(told, **changes)


def data_card(form: Any = "winners", space: str = "bid-tac-toe") -> DataCard:
    recipe = DataRecipe(form=form, space=space, system_sha256=hexed(1), tokenizer_sha256=hexed(2))
    return DataCard(recipe=recipe, sessions=[CID], counts={}, held_out={}, digest=hexed(3))
