"""Which operators are to keep a block: the k of n that rendezvous hashing draws. Pure.

Everybody who reads the chain computes the same keepers, so nobody has to be told them, and nobody can be left out. When an
operator goes, only what it kept moves, each block to the one that came next; when one comes, it takes its share and nothing
else moves. (Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998.)

All operators weigh alike, however much they stake: whoever wants a double share stakes twice the least.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Collection

DOMAIN = b"agon-keeper/1"
ADDRESS_BYTES = 20
DIGEST_BYTES = 32


def score(operator: str, digest: bytes) -> int:
    """How much this block belongs to this operator: SHA-256(DOMAIN || address[20] || digest[32]) as a number.

    `operator` is an address in hex, in whatever case; `digest` the SHA-256 in the block's CID. Raises ValueError.
    """
    address = bytes.fromhex(operator.removeprefix("0x"))
    if len(address) != ADDRESS_BYTES:
        raise ValueError(f"{operator!r} is no address: it has {len(address)} bytes")
    if len(digest) != DIGEST_BYTES:
        raise ValueError(f"a digest has {DIGEST_BYTES} bytes, got {len(digest)}")
    return int.from_bytes(hashlib.sha256(DOMAIN + address + digest).digest(), "big")


def keepers(operators: Collection[str], digest: bytes, k: int) -> list[str]:
    """The operators that are to keep the block, the first before the second: k of them, or all where there are fewer.

    In which order `operators` come, and how often, does not matter; each has one spelling (EIP-55). Raises ValueError.
    """
    if k < 1:
        raise ValueError(f"a block has at least one keeper, got {k}")
    return heapq.nlargest(k, sorted(set(operators)), key=lambda each: score(each, digest))


def keeps(operator: str, operators: Collection[str], digest: bytes, k: int) -> bool:
    """Whether this operator, one of them, is to keep the block. Raises ValueError."""
    return operator in keepers(operators, digest, k)
