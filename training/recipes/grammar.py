"""Log-probabilities of answers as they were drawn: where a grammar left a few tokens, among these alone."""

from __future__ import annotations

from typing import Any

import torch
from trl.kernels import ChunkedLogProbFunction

from training.recipes.head import CHUNK


def logprobs(
    model: Any,
    input_ids: Any,
    attention_mask: Any,
    allowed: Any,
    temperature: float,
) -> tuple[Any, Any]:
    """Of each of the last C tokens its log-probability, and the entropy of what it was drawn from; both (B, C), the
    entropy without gradient. `allowed` (B, C, K) has the tokens that could have stood there, -1 behind them, and
    nothing but -1 where any could.

    A sum over the few rows of the head that a grammar allows is some thousand times less work than over all words.
    """
    count = allowed.shape[1]
    base = model.get_base_model()
    places = (attention_mask.cumsum(1) - 1).clamp(min=0)
    hidden = base.model(
        input_ids=input_ids,
        attention_mask=attention_mask,
        position_ids=places,
        use_cache=False,
    ).last_hidden_state[:, -count - 1 : -1]  # (B, C, H)
    said = input_ids[:, -count:]
    real = attention_mask[:, -count:].bool()
    few = allowed[..., 0] >= 0
    among, among_entropy = _among(
        base, hidden[few & real], allowed[few & real], said[few & real], temperature
    )
    freely, free_entropy = _freely(base, hidden[real & ~few], said[real & ~few], temperature)
    return (
        _spread(among, few & real) + _spread(freely, real & ~few),
        (_spread(among_entropy, few & real) + _spread(free_entropy, real & ~few)).detach(),
    )


def _among(base: Any, hidden: Any, allowed: Any, said: Any, temperature: float) -> tuple[Any, Any]:
    """Of N tokens: `hidden` (N, H), `allowed` (N, K), `said` (N,)."""
    rows = base.get_output_embeddings().weight[allowed.clamp(min=0)]  # (N, K, H)
    logits = (rows @ hidden.to(rows.dtype).unsqueeze(-1)).squeeze(-1).float() / temperature
    known = logits.masked_fill(allowed < 0, float("-inf")).log_softmax(-1)
    chance = known.exp()
    entropy = -(chance * known.masked_fill(allowed < 0, 0.0)).sum(-1)
    place = (allowed == said[:, None]).int().argmax(-1)
    return known.gather(1, place[:, None]).squeeze(1), entropy


def _freely(base: Any, hidden: Any, said: Any, temperature: float) -> tuple[Any, Any]:
    head = base.get_output_embeddings()
    found = ChunkedLogProbFunction.apply(
        hidden,
        head.weight,
        head.bias,
        said,
        temperature,
        CHUNK,
        None,
        1.0,
        ("log_probs", "entropy"),
    )
    return found[0], found[1]


def _spread(values: Any, mask: Any) -> Any:
    """Values at their places (B, C), zeros elsewhere; differentiable also where there is none."""
    return torch.zeros(mask.shape, dtype=torch.float32, device=mask.device).masked_scatter(
        mask, values.float()
    )
