"""Steps of a training, made again by the trainer itself from the same examples, and noted as they were then.

A stretch begins at the beginning, or at a state that somebody has kept; it ends by an observer that has seen enough.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from training.documents.training import Step, TrainingManifest
from training.model.base import Base
from training.proof import digest, manifest, state
from training.proof.choose import Stretch
from training.proof.compare import Redone
from training.proof.prove import content_id
from training.proof.record import WHOLE, States, noted, states_of
from training.recipes.config import TrainConfig
from training.recipes.observer import Trained


class Enough(Exception):
    """All wanted steps were made."""


def again(
    told: TrainingManifest,
    stretches: Iterable[Stretch],
    base: Base,
    examples: Sequence[Any],
    states: Callable[[int], bytes],
    work: Path,
    *,
    parent: Path | None = None,
    device: str | None = None,
    told_step: Callable[[int], None] | None = None,
) -> Redone:
    """Make the stretches again in the folder `work`, which is empty and may be thrown away.

    `states` gives the state after a step, which the caller has checked. Raises NotTensors for one that is none, ValueError for examples
    that the recipe cannot learn from, and what the trainer raises. `told_step` hears of every step that was made.
    """
    from training.recipes.run import train

    config = manifest.config_of(told.config)
    pinned = {each.step for each in told.checkpoints}
    found: dict[int, Step] = {}
    passed: dict[int, str] = {}
    start = ""
    for stretch in stretches:
        folder = work / f"from-{stretch.after}"
        if stretch.after:
            checkpoint = folder / "checkpoints" / f"checkpoint-{stretch.after}"
            state.to_checkpoint(states(stretch.after), checkpoint, config)
            (checkpoint / WHOLE).touch()
        watching = _Watching(folder, stretch, pinned, config.steps, told_step)
        with contextlib.suppress(Enough):
            train(
                config,
                base,
                examples,
                folder,
                parent=parent,
                observers=[watching],
                device=device,
            )
        found |= watching.steps
        start = watching.start
        passed |= {step: content_id(file) for step, file in states_of(folder).items()}
    return Redone(steps=found, start=start, states=passed)


class _Watching:
    """Notes the steps of a stretch, and ends the run after them."""

    def __init__(
        self,
        run: Path,
        stretch: Stretch,
        pinned: set[int],
        total: int,
        told_step: Callable[[int], None] | None,
    ) -> None:
        self.steps: dict[int, Step] = {}
        self.start = ""
        self._stretch = stretch
        self._told_step = told_step
        self._states = States(run, sorted(pinned & {*stretch.steps}))
        # A checkpoint is written after its step was told: the step after it tells that it is there.
        self._last = stretch.last + (stretch.last in pinned and stretch.last < total)

    def begun(self, model: Any, config: TrainConfig) -> None:
        self.start = digest.of_weights(digest.adapter_tensors(model))

    def stepped(self, step: int, loss: float, batch: Mapping[str, Any], model: Any) -> None:
        if step in self._stretch.steps:
            self.steps[step] = noted(loss, batch, model)
            if self._told_step is not None:
                self._told_step(step)
        self._states.take()
        if step >= self._last:
            raise Enough

    def ended(self, trained: Trained) -> None:
        self._states.take()
