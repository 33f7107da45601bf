"""Say what winners said: cross-entropy on the answers alone, prompts are only read.

The loss of an update is the mean over its answers' tokens, each weighted by its example's `weight_milli`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from trl import SFTConfig, SFTTrainer

from training.data.example import Example
from training.recipes.config import TrainConfig
from training.recipes.frame import Frame, arguments, tokens
from training.recipes.observer import Observer

EXAMPLE = Example


class Collator:
    """Places of examples to tensors (B, T); `weights` has shape (B,)."""

    def __init__(self, examples: Sequence[Example], pad: int) -> None:
        self.examples, self.pad = examples, pad

    def __call__(self, rows: Sequence[dict[str, int]]) -> dict[str, Any]:
        batch = [self.examples[row["place"]] for row in rows]
        made: dict[str, Any] = tokens(
            [each.prompt for each in batch], [each.completion for each in batch], self.pad
        )
        made["weights"] = torch.tensor([each.weight_milli / 1_000 for each in batch])
        return made


class Trainer(Frame, SFTTrainer):  # type: ignore[misc]
    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        weights = inputs.pop("weights")
        found = model(**inputs, use_cache=False, fused_lm_head=True)
        count = found.label_mask.sum() if num_items_in_batch is None else num_items_in_batch
        loss = -(found.log_probs * weights[:, None]).sum() / torch.as_tensor(count).clamp(min=1)
        if num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes  # the gradients' mean is taken over them
        answers = found.label_mask.sum().clamp(min=1)
        mine = self._metrics["train"]
        mine["entropy"].append((found.entropy.detach().sum() / answers).item())
        mine["mean_token_accuracy"].append((found.is_top1.sum() / answers).item())
        return loss


def trainer(
    model: Any,
    tokenizer: Any,
    config: TrainConfig,
    examples: Sequence[Example],
    folder: Path,
    device: str,
    observers: Sequence[Observer],
    processes: int = 1,
    begins_at_nothing: bool = True,
) -> Trainer:
    return Trainer(
        model=model,
        config=config,
        examples=examples,
        observers=observers,
        args=SFTConfig(
            **arguments(config, folder, device, processes),
            completion_only_loss=True,
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        data_collator=Collator(examples, tokenizer.pad_token_id),
        processing_class=tokenizer,
    )
