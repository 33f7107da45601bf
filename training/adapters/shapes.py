"""Which modules of a base an adapter may change, and how large they are. Pure but for the reading of a file's header."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

_ATTENTION = {"q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output"}
_MLP = {"gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down"}
GGUF_NAMES: Mapping[str, str] = _ATTENTION | _MLP
"""Module of a Llama -> what llama.cpp calls it."""
_TENSOR = re.compile(
    r"base_model\.model\.model\.layers\.(0|[1-9][0-9]{0,3})\.(self_attn|mlp)\.([a-z]+_proj)\.lora_([AB])\.weight"
)


class Dimensions(msgspec.Struct, frozen=True):
    """A Llama's."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head: int
    """Of one head."""

    def of(self, module: str) -> tuple[int, int]:
        """Inputs and outputs of a module."""
        queries, keys = self.heads * self.head, self.kv_heads * self.head
        return {
            "q_proj": (self.hidden, queries),
            "k_proj": (self.hidden, keys),
            "v_proj": (self.hidden, keys),
            "o_proj": (queries, self.hidden),
            "gate_proj": (self.hidden, self.intermediate),
            "up_proj": (self.hidden, self.intermediate),
            "down_proj": (self.intermediate, self.hidden),
        }[module]


class Part(msgspec.Struct, frozen=True, order=True):
    """One of the two matrices of one module's update: A is (rank, inputs), B is (outputs, rank)."""

    layer: int
    module: str
    matrix: str
    """`A` or `B`."""

    @property
    def peft(self) -> str:
        """Its tensor's name in a file of PEFT's."""
        group = "self_attn" if self.module in _ATTENTION else "mlp"
        return f"base_model.model.model.layers.{self.layer}.{group}.{self.module}.lora_{self.matrix}.weight"

    @property
    def gguf(self) -> str:
        """And in one of llama.cpp's."""
        return f"blk.{self.layer}.{GGUF_NAMES[self.module]}.weight.lora_{self.matrix.lower()}"

    def shape(self, dimensions: Dimensions, rank: int) -> tuple[int, int]:
        inputs, outputs = dimensions.of(self.module)
        return (rank, inputs) if self.matrix == "A" else (outputs, rank)


def part(tensor: str) -> Part | None:
    """What a tensor of PEFT's is; None: no part of an adapter that we know."""
    found = _TENSOR.fullmatch(tensor)
    if found is None:
        return None
    layer, _, module, matrix = found.groups()
    known = Part(int(layer), module, matrix)
    return known if module in GGUF_NAMES and known.peft == tensor else None


def parts(dimensions: Dimensions, targets: Iterable[str]) -> list[Part]:
    """All that an adapter with these targets consists of."""
    return [
        Part(layer, module, matrix)
        for layer in range(dimensions.layers)
        for module in sorted(targets)
        for matrix in "AB"
    ]


def of_checkpoint(folder: Path) -> Dimensions:
    """Of a base that transformers reads. Raises ValueError where it is no Llama."""
    config: dict[str, Any] = msgspec.json.decode((folder / "config.json").read_bytes())
    if config.get("model_type") != "llama":
        raise ValueError(
            f"{folder} is a {config.get('model_type')!r}: adapters are served on a llama"
        )
    heads = config["num_attention_heads"]
    return Dimensions(
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        intermediate=config["intermediate_size"],
        heads=heads,
        kv_heads=config.get("num_key_value_heads", heads),
        head=config.get("head_dim") or config["hidden_size"] // heads,
    )


def of_gguf(header: Mapping[str, Any]) -> Dimensions:
    """Of a base's GGUF, by its header (`training.model.gguf_header`). Raises ValueError where it is no Llama."""
    if header.get("general.architecture") != "llama":
        raise ValueError(
            f"a {header.get('general.architecture')!r}: adapters are served on a llama"
        )
    heads = header["llama.attention.head_count"]
    return Dimensions(
        layers=header["llama.block_count"],
        hidden=header["llama.embedding_length"],
        intermediate=header["llama.feed_forward_length"],
        heads=heads,
        kv_heads=header["llama.attention.head_count_kv"],
        head=header["llama.embedding_length"] // heads,
    )
