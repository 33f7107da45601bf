"""Unsigned varints as multiformats has them: seven bits a byte, the lowest first, and only the shortest form.

https://github.com/multiformats/unsigned-varint
"""

from __future__ import annotations

MAX_BYTES = 9
"""The format's own limit: 63 bits."""


class NotAVarint(ValueError):
    """Too long, not in its shortest form, or cut off."""


def encode(value: int) -> bytes:
    """The bytes of 0 <= value < 2^63. Raises ValueError beyond."""
    if not 0 <= value < 1 << 63:
        raise ValueError(f"no varint holds {value}")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode(data: bytes | bytearray | memoryview, at: int = 0) -> tuple[int, int]:
    """The value that begins at `at`, and where the next thing begins. Raises NotAVarint; `Incomplete` where the
    data ends too early."""
    value = 0
    for number, byte in enumerate(data[at : at + MAX_BYTES]):
        value |= (byte & 0x7F) << 7 * number
        if byte < 0x80:
            if byte == 0 and number:
                raise NotAVarint("a varint is not in its shortest form")
            return value, at + number + 1
    if len(data) - at >= MAX_BYTES:
        raise NotAVarint(f"a varint is longer than {MAX_BYTES} bytes")
    raise Incomplete("a varint is cut off")


class Incomplete(NotAVarint):
    """More bytes may complete it."""
