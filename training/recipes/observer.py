"""Who is told of a run while it goes on: the metrics, a progress bar, the proof. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

from training.recipes.config import TrainConfig


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run."""

    adapter: Path
    """A folder as PEFT writes it: `adapter_model.safetensors`, `adapter_config.json`."""
    steps: int
    loss: float | None
    """Of the last update, in nats; None where the run was found finished."""
    began_at: int = 0
    """The checkpoint's step that the run went on from; 0: from the beginning."""
    shortened: int = 0
    """Examples whose prompts lost their beginning."""
    dropped: int = 0
    """Examples that were too long even so."""


class Observer(Protocol):
    """Hears of each update, in order and in the run's own thread; what it raises ends the run.

    A run that was killed goes on from its last checkpoint: the first step told then is that one's follower, and
    what was told of it and of later ones before no longer holds.
    """

    def begun(self, model: Any, config: TrainConfig) -> None:
        """The model stands as it is before the next update."""

    def stepped(self, step: int, loss: float, batch: Mapping[str, Any], model: Any) -> None:
        """Update `step`, from 1 on, is made: its loss in nats, and all its examples as tensors, shape (batch, T)."""

    def ended(self, trained: Trained) -> None:
        """The adapter is written."""


@runtime_checkable
class Measuring(Protocol):
    """An observer that also wants figures."""

    def measured(self, step: int, figures: Mapping[str, float]) -> None:
        """After `stepped`: `loss`, `learning_rate`, `grad_norm`, `tokens`, `seconds` of this update, and the recipe's own."""


def tell(observers: Sequence[Observer], step: int, figures: Mapping[str, float]) -> None:
    """Figures to whom wants them."""
    for each in observers:
        if isinstance(each, Measuring):
            each.measured(step, figures)
