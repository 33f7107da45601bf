"""A Llama of two layers with random weights and the real tokenizer, for tests: made in less than a second."""

from __future__ import annotations

from pathlib import Path

from training.model import base as bases
from training.model import gguf_header, vocabulary
from training.model.base import Base

SHA256 = "00" * 32
"""What it says it was read from."""


def make(folder: Path, seed: int = 0) -> Base:
    """Write it into a folder; the same bytes for the same seed."""
    transformers = bases.quiet_transformers()
    import torch

    config = transformers.LlamaConfig(
        vocab_size=49_152,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2_048,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = transformers.LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(folder)
    vocabulary.save(gguf_header.read(bases.gguf()), folder)
    return Base("tiny", folder, SHA256)
