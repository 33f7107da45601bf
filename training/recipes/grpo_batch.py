"""An update's answers: drawn from those that teach something, and as the tensors that trl's loss reads."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
import torch

from training.data.example import Sample
from training.recipes.config import TrainConfig


def drawn(samples: Sequence[Sample], config: TrainConfig, step: int) -> list[Sample]:
    """`batch` samples for an update, by the seed. Where there are fewer, some stand twice with an advantage of nothing;
    where there is none, the update changes nothing of itself."""
    rng = Random(f"agon-grpo/{config.seed}/{step}")  # noqa: S311 # to be drawn again
    chosen = rng.sample(list(samples), min(config.batch, len(samples)))
    filling = (
        chosen[0]
        if chosen
        else Sample(prompt=(0,), completion=(0,), logprobs=(0.0,), advantage=0.0)
    )
    filling = msgspec.structs.replace(filling, advantage=0.0)
    return chosen + [filling] * (config.batch - len(chosen))


def tensors(batch: Sequence[Sample], pad: int, device: Any) -> dict[str, Any]:
    """As trl's loss reads them: prompts (B, P) filled at their beginnings, answers (B, C) at their ends, and
    `tool_mask` (B, C) 1 where something else could have been said."""
    most = max(len(each.prompt) for each in batch)
    width = max(len(each.completion) for each in batch)
    options = max((len(few) for each in batch for few in each.allowed), default=1)
    free = [
        [float(not each.allowed or len(each.allowed[at]) > 1) for at in range(len(each.completion))]
        for each in batch
    ]
    learnt = [1.0 if each.advantage else 0.0 for each in batch]
    made = {
        "prompt_ids": [[pad] * (most - len(e.prompt)) + list(e.prompt) for e in batch],
        "prompt_mask": [[0] * (most - len(e.prompt)) + [1] * len(e.prompt) for e in batch],
        "completion_ids": [_filled(e.completion, width, pad) for e in batch],
        "completion_mask": [_filled([1] * len(e.completion), width, 0) for e in batch],
        "tool_mask": [_filled(each, width, 0.0) for each in free],
        "old_per_token_logps": [_filled(e.logprobs, width, 0.0) for e in batch],
        "advantages": [e.advantage for e in batch],
        "allowed": [_options(e, width, options) for e in batch],
        "num_items_in_batch": sum(
            sum(row) * counts for row, counts in zip(free, learnt, strict=True)
        ),
    }
    return {name: torch.tensor(value, device=device) for name, value in made.items()}


def _filled(row: Sequence[Any], width: int, filling: Any) -> list[Any]:
    return [*row, *[filling] * (width - len(row))]


def _options(sample: Sample, width: int, most: int) -> list[list[int]]:
    rows = [_filled(few, most, -1) for few in sample.allowed]
    return rows + [[-1] * most] * (width - len(rows))
