"""Prefer what won to what lost, by labels of judges who err (robust DPO; Chowdhury et al., 2024).

With z = beta * ((log p - log p_ref)(chosen) - (log p - log p_ref)(rejected)) - margin, a pair that is labelled
wrong with probability s costs ((1 - s) * -log sigmoid(z) + s * log sigmoid(-z)) / (1 - 2s): its mean over wrong
and right labels is the cost by right labels alone, where the margin is 0. The margin is the pair's lead times `margin_weight`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import logsigmoid
from trl import DPOConfig, DPOTrainer

from training.data.example import Pair
from training.recipes import reference
from training.recipes.config import TrainConfig
from training.recipes.frame import Frame, arguments, tokens
from training.recipes.observer import Observer
from training.recipes.refused import CannotTrain

WHOLE_LEAD = 10_000
"""Milli-points from the bottom to the top of the scores' scale."""


class Collator:
    """Places of n pairs to tensors of shape (2n, T), the chosen answers first; `margins` and `smoothing` (n,)."""

    def __init__(self, pairs: Sequence[Pair], pad: int) -> None:
        self.pairs, self.pad = pairs, pad

    def __call__(self, rows: Sequence[dict[str, int]]) -> dict[str, Any]:
        batch = [self.pairs[row["place"]] for row in rows]
        answers = [each.chosen for each in batch] + [each.rejected for each in batch]
        made: dict[str, Any] = tokens([each.prompt for each in batch] * 2, answers, self.pad)
        made["margins"] = torch.tensor([each.margin_milli / WHOLE_LEAD for each in batch])
        made["smoothing"] = torch.tensor([each.smoothing_milli / 1_000 for each in batch])
        return made


class Trainer(Frame, DPOTrainer):  # type: ignore[misc]
    outputs = ("log_probs",)

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        margins, smoothing = inputs.pop("margins"), inputs.pop("smoothing")
        said = reference.answers_logprobs(model, inputs)
        ratios = said - reference.before(self.accelerator.unwrap_model(model), inputs)
        chosen, rejected = (self._config.beta * ratios).chunk(2)  # (n,) each: rewards
        z = chosen - rejected - self._config.margin_weight * margins
        costs = robust(z, smoothing)
        mine = self._metrics["train"]
        for name, value in (
            ("chosen", chosen),
            ("rejected", rejected),
            ("margins", chosen - rejected),
        ):
            mine[f"rewards/{name}"].append(value.detach().mean().item())
        mine["rewards/accuracies"].append((chosen > rejected).float().mean().item())
        return costs.mean()


def robust(z: Any, smoothing: Any) -> Any:
    """What each pair costs, shape (n,), where its label is wrong with probability `smoothing` below one half."""
    clean = (1 - smoothing) * -logsigmoid(z)
    flipped = smoothing * -logsigmoid(-z)
    return (clean - flipped) / (1 - 2 * smoothing)


def trainer(
    model: Any,
    tokenizer: Any,
    config: TrainConfig,
    examples: Sequence[Pair],
    folder: Path,
    device: str,
    observers: Sequence[Observer],
    processes: int = 1,
    begins_at_nothing: bool = True,
) -> Trainer:
    wrong = next((each for each in examples if not 0 <= each.smoothing_milli < 500), None)
    if wrong is not None:
        raise CannotTrain(
            f"a pair's smoothing is {wrong.smoothing_milli} thousandths; a label that is wrong half of the time teaches nothing"
        )
    made = Trainer(
        model=model,
        config=config,
        examples=examples,
        observers=observers,
        args=DPOConfig(
            **arguments(config, folder, device, processes),
            beta=config.beta,
            disable_dropout=False,
        ),
        data_collator=Collator(examples, tokenizer.pad_token_id),
        processing_class=tokenizer,
    )
    if begins_at_nothing:
        reference.forget_copy(made.model)
    return made
