"""Adapters for tests that change something: PEFT's own, with a B that is drawn instead of trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.adapters import gguf, shapes
from training.documents import adapter as documents
from training.model import base as bases
from training.model import lora
from training.model.base import Base
from training.recipes.config import LoraShape
from training.serving import probe


def make(
    base: Base, folder: Path, *, seed: int, scale: float, shape: LoraShape | None = None
) -> Any:
    """Write the adapter, its GGUF and its fingerprint into a folder; returns the PeftModel, in 32 bits."""
    import torch

    torch.set_num_threads(1)
    transformers = bases.quiet_transformers()
    model = transformers.AutoModelForCausalLM.from_pretrained(
        base.folder, dtype=torch.float32, local_files_only=True
    )
    adapted = lora.fresh(model, shape or LoraShape(rank=8, alpha=16), seed)
    stream = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=stream) * scale)
    adapted.save_pretrained(folder)
    named = documents.Base(name=base.name, sha256=base.sha256)
    probe.record(adapted, bases.tokenizer(base), folder, named)
    gguf.to_gguf(folder, shapes.of_checkpoint(base.folder))
    return adapted
