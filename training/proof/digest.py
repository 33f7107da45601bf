"""What of a run's tensors is hashed: the batch that a step was made from, and the adapter after it.

Two digests of one layout (`tensors.digest`), under two names, so that none can stand for the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from training import tensors
from training.tensors import NotTensors, Tensor

if TYPE_CHECKING:
    import torch

BATCH = "agon-batch/1"
WEIGHTS = "agon-weights/1"
_ADAPTER = ".default."
"""PEFT's name of the one adapter within a model; the files that it writes leave it out."""


def of_batch(batch: Mapping[str, Any]) -> str:
    """Of the token ids, labels and masks: every tensor of whole numbers or truth values, as I64.

    Tensors of floats are left out (a reference's log-probabilities, weights): they follow from the examples, and are not the same on
    every device, while this digest must be. Anything that is no tensor is left out, too.
    """
    import torch

    whole = {
        name: value.to(torch.int64)
        for name, value in batch.items()
        if isinstance(value, torch.Tensor) and not value.is_floating_point()
    }
    return tensors.digest((of_torch(name, value) for name, value in whole.items()), BATCH)


def of_weights(adapter: Iterable[Tensor]) -> str:
    """Of an adapter's tensors, as the file has them."""
    return tensors.digest(adapter, WEIGHTS)


def adapter_tensors(model: Any) -> list[Tensor]:
    """What of a PEFT model is trained, under the names that PEFT gives it in `adapter_model.safetensors`."""
    return [
        of_torch(name.replace(_ADAPTER, "."), value)
        for name, value in model.named_parameters()
        if value.requires_grad
    ]


def of_torch(name: str, value: torch.Tensor) -> Tensor:
    """A copy on the CPU."""
    import torch

    flat = value.detach().to("cpu").contiguous().reshape(-1).view(torch.uint8)
    data = memoryview(flat.numpy()).cast("B") if flat.numel() else memoryview(b"")
    return Tensor(name=name, dtype=_names()[value.dtype], shape=tuple(value.shape), data=data)


def to_torch(tensor: Tensor) -> torch.Tensor:
    """Raises NotTensors for a type that no training here has."""
    import torch

    types = {name: dtype for dtype, name in _names().items()}
    if tensor.dtype not in types:
        raise NotTensors(f"{tensor.name} is of {tensor.dtype}, which no training here has")
    flat = torch.frombuffer(bytearray(tensor.data) or bytearray(8), dtype=types[tensor.dtype])
    size = 1
    for each in tensor.shape:
        size *= each
    return flat[:size].reshape(tensor.shape)


def _names() -> dict[Any, str]:
    import torch

    return {
        torch.bool: "BOOL",
        torch.uint8: "U8",
        torch.int8: "I8",
        torch.int16: "I16",
        torch.int32: "I32",
        torch.int64: "I64",
        torch.float16: "F16",
        torch.bfloat16: "BF16",
        torch.float32: "F32",
        torch.float64: "F64",
    }
