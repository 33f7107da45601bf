"""What the recipes learn from. Token ids are Python ints; a batch is made of them by the recipe."""

from __future__ import annotations

import msgspec


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A question and an answer worth giving (sft)."""

    prompt: tuple[int, ...]
    """Token ids, shape (P,); no loss."""
    completion: tuple[int, ...]
    """Token ids with the end token, shape (C,); the loss is theirs."""
    weight_milli: int = 1_000
    origin: str = ""
    """`<transcript CID>#<seat>.<turn>.<attempt>`."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two answers to one question (dpo; Rafailov et al., 2023)."""

    prompt: tuple[int, ...]
    chosen: tuple[int, ...]
    rejected: tuple[int, ...]
    margin_milli: int = 0
    """The chosen one's lead, scores' scale."""
    smoothing_milli: int = 0
    """How likely the label is wrong: 1000 - reliability, below 500 (robust dpo; Chowdhury et al., 2024)."""
    origin: str = ""


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was good or bad by itself (kto; Ethayarajh et al., 2024)."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]
    desirable: bool
    weight_milli: int = 1_000
    origin: str = ""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of the model being trained, and how much better than expected it turned out (grpo)."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]
    logprobs: tuple[float, ...]
    """Of each completion token when it was drawn, shape (C,)."""
    advantage: float
    group: str = ""
    """Samples that share a baseline, e.g. `bid-tac-toe/seat-0`."""
    allowed: tuple[tuple[int, ...], ...] = ()
    """For each completion token those that a grammar allowed in its place: the log-probabilities are of these
    alone. Empty where there was no grammar; shape (C, ...)."""
