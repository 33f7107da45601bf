"""The layout of a safetensors file that may come from anybody, checked without a library. Pure.

Eight bytes with the length of a header, a header of JSON, then the tensors' bytes without holes
(https://github.com/huggingface/safetensors#format). There is no code in it: that is why nothing else is taken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

MAX_HEADER = 1024 * 1024
MAX_TENSORS = 8_192
WIDTHS = {"F32": 4, "F16": 2, "BF16": 2}
"""Types that an adapter's tensors may have, and bytes of a number."""


class BadTensors(ValueError):
    """The bytes are no safetensors file that an adapter may be; the text says why."""


class Tensor(msgspec.Struct, frozen=True):
    """Where a tensor lies."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    """From the beginning of the file, as `end`."""
    end: int


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dtype: Literal["F32", "F16", "BF16"]
    shape: Annotated[list[Annotated[int, Meta(ge=1, le=2**24)]], Meta(max_length=4)]
    data_offsets: tuple[Annotated[int, Meta(ge=0)], Annotated[int, Meta(ge=0)]]


def layout(data: bytes) -> dict[str, Tensor]:
    """All tensors by name, in the order of their bytes, which they fill. Raises BadTensors."""
    start = 8 + int.from_bytes(data[:8], "little")
    if len(data) < 8 or not 8 < start <= min(len(data), MAX_HEADER):
        raise BadTensors("no safetensors file: its first eight bytes are no length of a header")
    found = {name: _tensor(name, entry, start) for name, entry in _header(data[8:start]).items()}
    ordered = dict(sorted(found.items(), key=lambda item: item[1].begin))
    ends = [start, *(each.end for each in ordered.values())]
    begins = [*(each.begin for each in ordered.values()), len(data)]
    if ends != begins:
        raise BadTensors("the tensors overlap, leave a hole, or end elsewhere than the file")
    return ordered


def finite(data: bytes, tensor: Tensor) -> bool:
    """Whether each of its numbers is one."""
    view = memoryview(data)[tensor.begin : tensor.end]
    if tensor.dtype == "F32":
        # A copy: the tensors of a file with an odd header are not aligned, and a sum tells of all at once.
        return math.isfinite(math.fsum(map(abs, memoryview(bytes(view)).cast("f"))))
    mask = 0x7C00 if tensor.dtype == "F16" else 0x7F80
    return all(number & mask != mask for number in memoryview(bytes(view)).cast("H"))


def _header(text: bytes) -> Mapping[str, _Entry]:
    try:
        told: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
        metadata = msgspec.convert(told.pop("__metadata__", {}), dict[str, str])
        found = msgspec.convert(told, dict[str, _Entry])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadTensors(f"no safetensors header of an adapter: {error}") from None
    if metadata not in ({}, {"format": "pt"}):
        raise BadTensors(f"metadata {str(metadata)[:80]}: expected none, or the format pt")
    if not 0 < len(found) <= MAX_TENSORS:
        raise BadTensors(f"{len(found)} tensors: expected 1 to {MAX_TENSORS}")
    return found


def _tensor(name: str, entry: _Entry, start: int) -> Tensor:
    begin, end = entry.data_offsets
    size = math.prod(entry.shape) * WIDTHS[entry.dtype]
    if end - begin != size:
        raise BadTensors(f"{name[:120]} has {end - begin} bytes, {entry.shape} needs {size}")
    return Tensor(entry.dtype, tuple(entry.shape), start + begin, start + end)
