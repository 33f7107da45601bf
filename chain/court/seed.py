"""Where the chance of a draw comes from: the hash of a block that comes after the filing. Pure."""

from __future__ import annotations

from collections.abc import Callable

from chain.court import encoding


def seed_of(block_hash: bytes, batch: int) -> bytes:
    """The seed of a batch, from the hash of the block SEED_BLOCKS after the one in which it was filed."""
    return encoding.digest(block_hash, batch)


def words(seed: bytes, case: bytes, hearing: int) -> Callable[[int], int]:
    """The number that draws seat i of a hearing, for `judges.court.draw`. Raises ValueError where seed or case are not 32 bytes."""
    for each in (seed, case):
        encoding.word(each)
    return lambda seat: int.from_bytes(encoding.digest(seed, case, hearing, seat), "big")
