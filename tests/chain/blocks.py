"""Time that passes on boa's chain, with hashes for the blocks that pass."""

from __future__ import annotations

import hashlib

import boa

HASHES_KEPT = 256


def block_hash(number: int) -> bytes:
    """The hash that we give to a block, the same for the same number."""
    return hashlib.sha256(f"block {number}".encode()).digest()


def block_number() -> int:
    number: int = boa.env.evm.patch.block_number
    return number


def pass_time(*, blocks: int = 1, seconds: int = 12) -> None:
    """So many blocks and, independently, so many seconds."""
    patch = boa.env.evm.patch
    patch.block_number += blocks
    patch.timestamp += seconds
    number = patch.block_number
    patch.prev_hashes = [block_hash(number - back) for back in range(1, HASHES_KEPT + 1)]
