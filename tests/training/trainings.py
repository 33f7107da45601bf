"""A small training, here or in a process that is killed: `python -m tests.training.trainings BASE FOLDER RECIPE`."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.training.tiny import SHA256
from training.data.example import Example, Labelled, Pair
from training.model.base import Base
from training.recipes.config import LoraShape, TrainConfig
from training.recipes.observer import Observer, Trained
from training.recipes.run import train

STEPS, EVERY = 10, 3
"""Updates, and between two checkpoints."""
END = 2


def config(recipe: str, **knobs: Any) -> TrainConfig:
    told: dict[str, Any] = {
        "recipe": recipe,
        "steps": STEPS,
        "checkpoint_every": EVERY,
        "batch": 4,
        "micro_batch": 2,
        "learning_rate": 1e-2,
        "threads": 1,
        # Drawn anew at each update: a run that goes on must know how far the drawing was.
        "lora": LoraShape(rank=4, alpha=8, dropout=0.1),
    }
    return TrainConfig(**(told | knobs))


def examples(recipe: str, count: int = 14) -> Sequence[Example | Pair | Labelled]:
    """Random token ids in prompts of unequal length."""
    rng = random.Random(7)

    def ids(low: int, high: int) -> tuple[int, ...]:
        return tuple(rng.randrange(17, 49_000) for _ in range(rng.randint(low, high)))

    made: list[Example | Pair | Labelled] = []
    for number in range(count):
        prompt, good, bad = ids(10, 40), (*ids(1, 6), END), (*ids(1, 6), END)
        if recipe == "sft":
            made.append(Example(prompt=prompt, completion=good, weight_milli=500 + 100 * number))
        elif recipe == "dpo":
            made.append(Pair(prompt=prompt, chosen=good, rejected=bad, smoothing_milli=100))
        else:
            made.append(Labelled(prompt=prompt, completion=good, desirable=number % 2 == 0))
    return made


class Told:
    """Remembers what it heard; prints it, so that another process can wait for it."""

    def __init__(self, *, aloud: bool = False) -> None:
        self.steps: list[tuple[int, float]] = []
        self.shapes: list[dict[str, tuple[int, ...]]] = []
        self.trained: Trained | None = None
        self._aloud = aloud

    def begun(self, model: Any, config: TrainConfig) -> None:
        self.begun_with = config

    def stepped(self, step: int, loss: float, batch: Mapping[str, Any], model: Any) -> None:
        self.steps.append((step, loss))
        self.shapes.append({name: tuple(value.shape) for name, value in batch.items()})
        if self._aloud:
            print(step, flush=True)

    def ended(self, trained: Trained) -> None:
        self.trained = trained


def once(
    base: Path, folder: Path, recipe: str, observers: Sequence[Observer] = (), **knobs: Any
) -> Trained:
    return train(
        config(recipe, **knobs),
        Base("tiny", base, SHA256),
        examples(recipe),
        folder,
        observers=observers,
        device="cpu",
    )


if __name__ == "__main__":
    once(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], [Told(aloud=True)])
