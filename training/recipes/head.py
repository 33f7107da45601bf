"""The step from hidden states to log-probabilities, taken only where an answer is.

trl takes it for every position on devices without Triton, and again in the backward pass; our prompts are
some thirty times as long as the answers, and the vocabulary is a fifth of a small model's work.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from trl.kernels import ChunkedLogProbFunction
from trl.trainer.utils import FusedCausalLMOutput

CHUNK = 32_768
"""Words of the vocabulary at once."""


def only_answers(model: Any, outputs: tuple[str, ...]) -> None:
    """Give a base model that trl's `add_fused_lm_head` has changed the same head, computed only where labels are."""
    plain = model.forward
    if model.device.type == "cuda":
        return  # trl does so itself there

    def forward(
        self: Any, *args: Any, fused_lm_head: bool = False, labels: Any = None, **rest: Any
    ) -> Any:
        if not fused_lm_head:
            return plain(*args, **({} if labels is None else {"labels": labels}), **rest)
        rest["use_cache"] = False
        hidden = self.base_model(*args, **rest).last_hidden_state[:, :-1]  # (B, T - 1, H)
        wanted = labels[:, 1:]  # (B, T - 1)
        mask = wanted != -100
        head = self.get_output_embeddings()
        found = ChunkedLogProbFunction.apply(
            hidden[mask], head.weight, head.bias, wanted[mask], 1.0, CHUNK, None, 1.0, outputs
        )
        spread = [None if x is None else _spread(x, mask) for x in found]
        log_probs, entropy, squares, mean_logits, is_top1 = spread
        return FusedCausalLMOutput(
            loss=-log_probs.sum() / mask.sum().clamp(min=1),  # type: ignore[union-attr]
            log_probs=log_probs,
            entropy=entropy,
            log_sum_sq_probs=squares,
            mean_logits=mean_logits,
            is_top1=is_top1,
            label_mask=mask,
        )

    model.forward = MethodType(forward, model)


def _spread(values: Any, mask: Any) -> Any:
    """Values of the answers' tokens at their places, zeros elsewhere; differentiable also where there is none."""
    return torch.zeros(mask.shape, dtype=values.dtype).masked_scatter(mask, values)
