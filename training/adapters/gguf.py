"""An adapter as llama.cpp reads it: PEFT's tensors in a GGUF file, the rows of q and k in llama.cpp's order.

llama.cpp rotates neighbouring pairs of a head's numbers, transformers its two halves (Su et al., 2021, eq. 34). So
the base's q and k were permuted when it was converted, and the outputs of an update of them, the rows of B, have to be,
too. A file that is not is read without a word and answers a little wrongly: `tests/training/test_adapter_gguf_real.py`
compares logits.

Needs numpy and gguf, which the training extra brings; whoever serves needs neither.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from training.adapters import package, shapes
from training.adapters import weights as numbers
from training.adapters.shapes import Dimensions, Part
from training.serving.backend import CONFIG, GGUF, WEIGHTS
from training.tensors import Tensor

ARCHITECTURE = "llama"


def to_gguf(folder: Path, dimensions: Dimensions, out: Path | None = None) -> Path:
    """Convert the adapter of a PEFT folder; returns the file, by default in the folder. Raises BadAdapter.

    The same adapter gives the same bytes. Tensors are F32, as they come or widened: nothing is lost.
    """
    import gguf

    out = folder / GGUF if out is None else out
    shape = package.read_config(folder / CONFIG)
    weights = package.read_weights(folder / WEIGHTS)
    package.check(weights, shape, dimensions)
    found = numbers.read(weights)
    descriptor, aside = tempfile.mkstemp(prefix=".gguf-", dir=out.parent)
    os.close(descriptor)
    try:
        writer = gguf.GGUFWriter(aside, ARCHITECTURE)
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(shape.alpha))
        for part in shapes.parts(dimensions, shape.targets):
            writer.add_tensor(part.gguf, rows(part, _array(found[part.peft]), dimensions))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        Path(aside).replace(out)
    finally:
        Path(aside).unlink(missing_ok=True)
    return out


def rows(part: Part, array: Any, dimensions: Dimensions) -> Any:
    """The matrix as llama.cpp has it: B of q and k permuted, all else as it is."""
    if part.matrix == "A" or part.module not in ("q_proj", "k_proj"):
        return array
    heads = dimensions.heads if part.module == "q_proj" else dimensions.kv_heads
    return permuted(array, heads)


def permuted(array: Any, heads: int) -> Any:
    """Rows of two halves a head to rows of neighbouring pairs; shape (heads * head, n) as before."""
    outputs, columns = array.shape
    halves = array.reshape(heads, 2, outputs // heads // 2, columns)
    return halves.swapaxes(1, 2).reshape(outputs, columns)


def _array(tensor: Tensor) -> Any:
    import numpy as np

    kinds = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
    numbers = np.frombuffer(tensor.data, dtype=kinds[tensor.dtype])
    if tensor.dtype == "BF16":  # the upper half of a float32
        numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
    return numbers.astype(np.float32).reshape(tensor.shape)
