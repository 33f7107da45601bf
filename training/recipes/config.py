"""What a training run is told; a run is a function of this and of its data."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Recipe = Literal["sft", "dpo", "kto", "grpo"]


class LoraShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The low-rank update W' = W + alpha / rank * BA (Hu et al., 2021)."""

    rank: Annotated[int, Meta(ge=1, le=256)] = 16
    alpha: Annotated[int, Meta(ge=1, le=512)] = 32
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    targets: tuple[str, ...] = (
        *("q_proj", "k_proj", "v_proj", "o_proj"),
        *("gate_proj", "up_proj", "down_proj"),
    )


class TrainConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every knob of a run."""

    recipe: Recipe = "sft"
    lora: LoraShape = LoraShape()
    steps: Annotated[int, Meta(ge=1, le=100_000)] = 100
    """Updates of the weights."""
    batch: Annotated[int, Meta(ge=1, le=1_024)] = 8
    """Examples (pairs, for dpo) an update, all accumulated ones together."""
    micro_batch: Annotated[int, Meta(ge=1, le=1_024)] = 8
    """Examples in memory at once, at most."""
    learning_rate: Annotated[float, Meta(gt=0, le=1)] = 2e-4
    warmup: Annotated[float, Meta(ge=0, le=1)] = 0.1
    """Share of the steps in which the rate rises; from there on it falls to 0 in a line."""
    max_length: Annotated[int, Meta(ge=16, le=131_072)] = 512
    """Tokens of an example; longer prompts lose their beginning after the system message, never their end."""
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    four_bit: bool = True
    """NF4 with double quantisation; False: bf16."""
    save_memory: bool = False
    """Hidden states are computed again in the backward pass: a third slower, for long examples on a small GPU."""
    threads: Annotated[int, Meta(ge=1, le=256)] = 2
    """Of the CPU: a sum in another order is another sum."""
    checkpoint_every: Annotated[int, Meta(ge=1, le=100_000)] = 25
    """Steps between two checkpoints that a killed run goes on from."""
    beta: Annotated[float, Meta(ge=0, le=10)] = 0.1
    """dpo, kto: how dear it is to leave the reference; grpo: of the KL term."""
    margin_weight: Annotated[float, Meta(ge=0, le=100)] = 0.0
    """dpo: nats that a pair's lead of the whole scale (10,000) asks for beyond the boundary (offset DPO; Amini et al., 2024)."""
    clip: Annotated[float, Meta(gt=0, le=1)] = 0.2
    """grpo."""
