"""More of what was good, less of what was bad, each by itself (KTO; Ethayarajh et al., 2024).

With r = log p - log p_ref of an answer and k the same for answers to other questions (at least 0), a good
answer costs 1 - sigmoid(beta * (r - k)) and a bad one 1 - sigmoid(beta * (k - r)), times its `weight_milli`. k is
estimated on the micro-batch with its answers handed on by one, so a micro-batch must have two examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from trl import KTOConfig, KTOTrainer

from training.data.example import Labelled
from training.recipes import reference
from training.recipes.config import TrainConfig
from training.recipes.draws import micro_batch
from training.recipes.frame import Frame, arguments, tokens
from training.recipes.observer import Observer
from training.recipes.refused import CannotTrain


class Collator:
    """Places of n examples to tensors of shape (2n, T): the answers, then each question with its neighbour's answer."""

    def __init__(self, examples: Sequence[Labelled], pad: int) -> None:
        self.examples, self.pad = examples, pad

    def __call__(self, rows: Sequence[dict[str, int]]) -> dict[str, Any]:
        batch = [self.examples[row["place"]] for row in rows]
        answers = [each.completion for each in batch]
        strange = answers[-1:] + answers[:-1]
        made: dict[str, Any] = tokens(
            [each.prompt for each in batch] * 2, answers + strange, self.pad
        )
        made["desirable"] = torch.tensor([each.desirable for each in batch])
        made["weights"] = torch.tensor([each.weight_milli / 1_000 for each in batch])
        return made


class Trainer(Frame, KTOTrainer):  # type: ignore[misc]
    outputs = ("log_probs",)

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        desirable, weights = inputs.pop("desirable"), inputs.pop("weights")
        own, strange = _halves(inputs)
        said = reference.answers_logprobs(model, own)
        with torch.no_grad():
            strange_said = reference.answers_logprobs(model, strange)
        plain = self.accelerator.unwrap_model(model)
        ratios = said - reference.before(plain, own)
        kl = (strange_said - reference.before(plain, strange)).mean()
        kl = self.accelerator.gather_for_metrics(kl).mean().clamp(min=0)
        costs = weights * prospect(ratios, kl, desirable, self._config.beta)
        mine = self._metrics["train"]
        mine["kl"].append(kl.item())
        rewards = self._config.beta * ratios.detach()
        for name, which in (("chosen", desirable), ("rejected", ~desirable)):
            if which.any():
                mine[f"rewards/{name}"].append(rewards[which].mean().item())
        return costs.mean()


def prospect(ratios: Any, kl: Any, desirable: Any, beta: float) -> Any:
    """What each answer costs, shape (n,): good ones for lying below the reference point, bad ones above it."""
    lead = torch.where(desirable, ratios - kl, kl - ratios)
    return 1 - torch.sigmoid(beta * lead)


def _halves(inputs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    half = inputs["input_ids"].shape[0] // 2
    own = {name: value[:half] for name, value in inputs.items()}
    strange = {name: value[half:] for name, value in inputs.items()}
    return own, strange


def trainer(
    model: Any,
    tokenizer: Any,
    config: TrainConfig,
    examples: Sequence[Labelled],
    folder: Path,
    device: str,
    observers: Sequence[Observer],
    processes: int = 1,
    begins_at_nothing: bool = True,
) -> Trainer:
    if micro_batch(config, processes) < 2:
        raise CannotTrain(
            f"kto needs two examples in memory at once; a batch of {config.batch} with a micro_batch of "
            f"{config.micro_batch} gives one"
        )
    made = Trainer(
        model=model,
        config=config,
        examples=examples,
        observers=observers,
        args=KTOConfig(
            **arguments(config, folder, device, processes),
            beta=config.beta,
            disable_dropout=False,
            train_sampling_strategy="sequential",  # by our draws; the neighbours are those of the batch
        ),
        data_collator=Collator(examples, tokenizer.pad_token_id),
        processing_class=tokenizer,
    )
    if begins_at_nothing:
        reference.forget_copy(made.model)
    return made
