"""An adapter's weights as a file that may come from anybody: named matrices of floats, and no word beside them. Pure.

There is no code in safetensors: that is why nothing else is taken.
"""

from __future__ import annotations

import math

from training import tensors
from training.tensors import NotTensors, Tensor

TYPES = ("F32", "F16", "BF16")
"""Of which an adapter's tensors may be."""


def read(file: bytes) -> dict[str, Tensor]:
    """All tensors by name; they fill the file behind its header. Raises NotTensors."""
    found, metadata = tensors.read(file)
    if metadata not in ({}, {"format": "pt"}):
        raise NotTensors(f"metadata {str(metadata)[:80]}: expected none, or the format pt")
    if not found:
        raise NotTensors("no tensors")
    for each in found:
        if each.dtype not in TYPES:
            raise NotTensors(f"{each.name} is of {each.dtype}: expected {', '.join(TYPES)}")
    return {each.name: each for each in found}


def finite(tensor: Tensor) -> bool:
    """Whether each of its numbers is one."""
    # A copy: the tensors of a file with an odd header are not aligned.
    data = memoryview(bytes(tensor.data))
    if tensor.dtype == "F32":
        return math.isfinite(math.fsum(map(abs, data.cast("f"))))  # a sum tells of all at once
    mask = 0x7C00 if tensor.dtype == "F16" else 0x7F80
    return all(number & mask != mask for number in data.cast("H"))
