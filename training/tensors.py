"""Named tensors as bytes: safetensors in one canonical layout, and their digest. Pure: no torch.

safetensors (https://github.com/huggingface/safetensors) is 8 bytes of length, a JSON header, the tensors' bytes. It lets the
writer choose the order and the header's blanks; here there is one way to write the same tensors, so that equal tensors are equal
bytes, and so one content id. What others wrote is read as it is, with every bound checked: it may come from anybody.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from spaces import canonical

_BY_WIDTH = {
    1: "BOOL U8 I8 F8_E4M3 F8_E5M2",
    2: "I16 U16 F16 BF16",
    4: "I32 U32 F32",
    8: "I64 U64 F64",
}
WIDTHS = {name: width for width, names in _BY_WIDTH.items() for name in names.split()}
"""Bytes of an element, by safetensors' name of its type."""
MAX_HEADER = 16 << 20
MAX_TENSORS = 65_536
MAX_NAME = 512
MAX_DIMS = 8


class NotTensors(ValueError):
    """The bytes are no safetensors file that we read; the text says where."""


class Tensor(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    dtype: str
    """As safetensors calls it, e.g. `F32`."""
    shape: tuple[int, ...]
    data: bytes | memoryview
    """Row-major, little-endian."""


def digest(tensors: Iterable[Tensor], domain: str) -> str:
    """SHA-256 of `domain` in UTF-8 and a zero byte, the length of the header as 8 bytes, little-endian, the header, and each tensor's bytes.

    The header is the canonical JSON of `[[name, dtype, shape], …]`, by name.
    """
    ordered = _ordered(tensors)
    header = canonical.encode([[each.name, each.dtype, list(each.shape)] for each in ordered])
    hashed = hashlib.sha256(domain.encode() + b"\0")
    hashed.update(len(header).to_bytes(8, "little"))
    hashed.update(header)
    for each in ordered:
        hashed.update(each.data)
    return hashed.hexdigest()


def write(tensors: Iterable[Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    """A safetensors file: tensors by name without gaps, the header canonical JSON, filled up to 8 bytes with blanks."""
    ordered = _ordered(tensors)
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": dict(metadata)}
    at = 0
    for each in ordered:
        end = at + _size(each.name, each.dtype, each.shape)
        header[each.name] = {
            "dtype": each.dtype,
            "shape": list(each.shape),
            "data_offsets": [at, end],
        }
        at = end
    head = canonical.encode(header)
    head += b" " * (-len(head) % 8)
    return b"".join((len(head).to_bytes(8, "little"), head, *(each.data for each in ordered)))


def read(file: bytes) -> tuple[list[Tensor], dict[str, str]]:
    """The tensors, by name, and the metadata. Raises NotTensors."""
    length = int.from_bytes(file[:8], "little")
    if len(file) < 8 or not 2 <= length <= min(MAX_HEADER, len(file) - 8):
        raise NotTensors(f"a header of {length} bytes in a file of {len(file)}")
    try:
        header = msgspec.json.decode(file[8 : 8 + length], type=dict[str, Any])
        metadata = msgspec.convert(header.pop("__metadata__", {}), dict[str, str])
        entries = msgspec.convert(header, dict[str, _Entry])
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError):
        raise NotTensors("the header is not that of a safetensors file") from None
    if len(entries) > MAX_TENSORS:
        raise NotTensors(f"{len(entries)} tensors: {MAX_TENSORS} are read at most")
    body = memoryview(file)[8 + length :]
    found = [_cut(name, entry, body) for name, entry in entries.items()]
    _check_cover(entries.values(), len(body))
    return _ordered(found), metadata


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


def _cut(name: str, entry: _Entry, body: memoryview) -> Tensor:
    begin, end = entry.data_offsets
    shape = tuple(entry.shape)
    if not 0 <= begin <= end <= len(body) or end - begin != _size(name, entry.dtype, shape):
        raise NotTensors(f"{name[:MAX_NAME]!r}: its bytes are not those of its shape")
    return Tensor(name=name, dtype=entry.dtype, shape=shape, data=body[begin:end])


def _check_cover(entries: Iterable[_Entry], size: int) -> None:
    """No hole, no overlap, nothing behind: what no tensor holds would be in the file's id and in no digest."""
    at = 0
    for begin, end in sorted(each.data_offsets for each in entries):
        if begin != at:
            raise NotTensors(f"a gap or an overlap at byte {at}")
        at = end
    if at != size:
        raise NotTensors(f"{size - at} bytes behind the last tensor")


def _size(name: str, dtype: str, shape: Sequence[int]) -> int:
    plain = 0 < len(name) <= MAX_NAME and name.isascii() and name.isprintable()
    if not plain or len(shape) > MAX_DIMS or any(each < 0 for each in shape):
        raise NotTensors(f"{name[:MAX_NAME]!r}: a name or a shape out of bounds")
    if dtype not in WIDTHS:
        raise NotTensors(f"{name!r}: elements of the unknown type {dtype[:MAX_NAME]!r}")
    return math.prod(shape) * WIDTHS[dtype]


def _ordered(tensors: Iterable[Tensor]) -> list[Tensor]:
    return sorted(tensors, key=lambda each: each.name)
