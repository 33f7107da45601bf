"""Four bits a weight: NormalFloat4, its scales quantised, too (QLoRA; Dettmers et al., 2023)."""

from __future__ import annotations

from typing import Any


def nf4() -> Any:
    """What bitsandbytes is told; a matrix product is computed in bf16, on a CPU and on CUDA."""
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
