"""Labelled streams of chance from a committed seed (PROOFS, `agon-transcript/1`).

All chance of a session comes from its 32-byte seed. Block k of label L is
HMAC-SHA256(key = seed, message = utf8(L) || ":" || decimal(k)). Words are read from the blocks in
order, 8 bytes each, big-endian. A uniform integer below n rejects words >= floor(2^64 / n) * n and
takes the rest modulo n, so it carries no modulo bias. Labels are part of a Space's rules.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

SEED_BYTES = 32
_WORD_BYTES = 8
_WORD_RANGE = 1 << 64


def commitment(session: str, seed: bytes) -> str:
    """The hex digest published before the first action: SHA-256("agon-seed/1" || session || seed)."""
    return hashlib.sha256(b"agon-seed/1" + session.encode() + seed).hexdigest()


class Streams:
    """Chance, by label. Stateless: the same label always gives the same draws.

    Holds the secret seed, so it never appears in a repr.
    """

    __slots__ = ("_seed",)

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes, got {len(seed)}")
        self._seed = seed

    def words(self, label: str) -> Iterator[int]:
        """The endless stream of uniform 64-bit words of one label."""
        k = 0
        while True:
            block = hmac.digest(self._seed, f"{label}:{k}".encode(), "sha256")
            for start in range(0, len(block), _WORD_BYTES):
                yield int.from_bytes(block[start : start + _WORD_BYTES], "big")
            k += 1

    def draws(self, label: str, n: int) -> Iterator[int]:
        """The endless stream of uniform integers in [0, n) of one label; n >= 1."""
        if n < 1:
            raise ValueError(f"a draw needs n >= 1, got {n}")
        limit = _WORD_RANGE // n * n
        return (word % n for word in self.words(label) if word < limit)

    def below(self, label: str, n: int) -> int:
        """The first uniform integer in [0, n) of a label."""
        return next(self.draws(label, n))

    def coin(self, label: str) -> int:
        """0 or 1."""
        return self.below(label, 2)
