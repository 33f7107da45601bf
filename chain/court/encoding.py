"""`abi.encode` of what the court hashes: words of 32 bytes, and lists of numbers behind them. Pure.

Every kind of number is one word whatever its size, so that these few lines are the whole of the ABI that is needed here;
a test holds them against eth-abi.
"""

from __future__ import annotations

from collections.abc import Sequence

from eth_utils.crypto import keccak

WORD = 32
Value = int | bytes | str | Sequence[int] | Sequence[bytes] | Sequence[str]
"""A number, 32 bytes, an address (0x and 40 hex digits), or a list of one of these."""


def encode(*values: Value) -> bytes:
    """`abi.encode(values…)`. Raises ValueError for what is no such value."""
    heads: list[bytes] = []
    tails: list[bytes] = []
    at = WORD * len(values)
    for value in values:
        if isinstance(value, int | bytes | str):
            heads.append(word(value))
            continue
        tail = word(len(value)) + b"".join(map(word, value))
        heads.append(word(at))
        tails.append(tail)
        at += len(tail)
    return b"".join((*heads, *tails))


def digest(*values: Value) -> bytes:
    """`keccak256(abi.encode(values…))`."""
    return bytes(keccak(encode(*values)))


def leaf(*values: Value) -> bytes:
    """Hashed twice, as `chain.standard_tree` wants it."""
    return bytes(keccak(digest(*values)))


def word(value: int | bytes | str) -> bytes:
    """One word; negative numbers are two's complement (int256). Raises ValueError."""
    if isinstance(value, bytes):
        if len(value) != WORD:
            raise ValueError(f"expected {WORD} bytes, got {len(value)}")
        return value
    if isinstance(value, str):
        raw = bytes.fromhex(value.removeprefix("0x"))
        if len(raw) != 20:
            raise ValueError(f"expected an address, got {value[:60]!r}")
        return raw.rjust(WORD, b"\0")
    if not -(1 << 255) <= value < 1 << 256:
        raise ValueError("a number has at most 256 bits")
    return (value % (1 << 256)).to_bytes(WORD, "big")
