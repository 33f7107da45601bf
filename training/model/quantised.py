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


def keep_trainable(model: Any) -> Any:
    """The model, which may be asked in between and trained on.

    Where a CPU has AVX512-BF16, bitsandbytes packs a layer's weights for good the first time that it is asked without
    being trained, and what it does with packed ones passes no gradient on: all later updates would be wrong, with
    nothing but a warning of torch. Without packing the same numbers come a little later.
    """
    from bitsandbytes.nn import Linear4bit

    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False
    return model
