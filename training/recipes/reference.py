"""What the model said before it was trained: for the recipes that keep near it."""

from __future__ import annotations

from typing import Any

import torch
from trl.trainer.utils import use_adapter

STARTING = "ref"
"""trl's name for the copy of an adapter that a training goes on from."""


def forget_copy(model: Any) -> None:
    """Where the update began at nothing the reference is the base itself: trl's copy is weight to carry."""
    if STARTING in model.peft_config:
        model.delete_adapter(STARTING)


def answers_logprobs(model: Any, inputs: dict[str, Any]) -> Any:
    """Log-probability of each whole answer, shape (B,)."""
    return model(**inputs, use_cache=False, fused_lm_head=True).log_probs.sum(1)


def before(model: Any, inputs: dict[str, Any]) -> Any:
    """The same by the reference, without gradients.

    Asked anew at each update, although an example is seen more than once: so an update needs nothing but the
    state before it and its batch, and anybody can make it again.
    """
    copy = STARTING if STARTING in model.peft_config else None
    with torch.no_grad(), use_adapter(model, copy):
        return answers_logprobs(model, inputs)
