"""What a GGUF file says of itself, without its tensors: keys and values, the vocabulary among them.

The package `gguf` reads the same, but needs seconds for a vocabulary of 49,152 words.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (version 3, little endian).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

MAGIC = b"GGUF"
MOST = 64 << 20
"""Bytes of a header at most: vocabularies are a few MB."""
_SCALARS = dict(enumerate("BbHhIif?")) | {10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


def read(path: Path) -> dict[str, Any]:
    """Every key with its value; raises `ValueError` where this is no GGUF file of a version we know."""
    with path.open("rb") as file:
        data = file.read(MOST)
    if data[:4] != MAGIC:
        raise ValueError(f"{path} is no GGUF file")
    try:
        version, _tensors, keys = struct.unpack_from("<IQQ", data, 4)
        if version not in (2, 3):
            raise ValueError(f"{path} is GGUF of version {version}; versions 2 and 3 are known")
        found: dict[str, Any] = {}
        at = 24
        for _ in range(keys):
            key, at = _value(data, at, _STRING)
            (kind,) = struct.unpack_from("<I", data, at)
            found[key], at = _value(data, at + 4, kind)
        return found
    except (struct.error, KeyError) as error:
        raise ValueError(f"the header of {path} is broken") from error


def _value(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    """The value at an offset, and the offset after it."""
    if kind == _STRING:
        (length,) = struct.unpack_from("<Q", data, at)
        return data[at + 8 : at + 8 + length].decode(), at + 8 + length
    if kind == _ARRAY:
        of, length = struct.unpack_from("<IQ", data, at)
        at += 12
        values = []
        for _ in range(length):
            value, at = _value(data, at, of)
            values.append(value)
        return values, at
    form = "<" + _SCALARS[kind]
    return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)
