"""What a judge binds itself to before it knows what others have said. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
from eth_utils.crypto import keccak

from chain.court import encoding
from spaces import canonical

COMMIT_TYPEHASH = bytes(
    keccak(
        text="Commitment(uint256 chain_id,address court,bytes32 case,uint256 hearing,address judge,bytes32 scores_hash,bytes32 salt)"
    )
)


class Court(msgspec.Struct, frozen=True):
    """Which court: nothing that is signed or committed for one means anything at another."""

    chain_id: int
    address: str


def commitment(
    court: Court, case: bytes, hearing: int, judge: str, scores_hash: bytes, salt: bytes
) -> bytes:
    """The one that `judge` gives for a hearing; `salt` is 32 secret bytes, new for each. Raises ValueError."""
    return encoding.digest(
        COMMIT_TYPEHASH, court.chain_id, court.address, case, hearing, judge, scores_hash, salt
    )


def scores_hash(sheet: Sequence[int], reasons_digest: bytes) -> bytes:
    """Of a sheet (by line of the rubric, then by contestant, thousandths of a point) and its reasons."""
    return encoding.digest(list(sheet), reasons_digest)


def reasons_digest(reasons: Sequence[Sequence[str]]) -> bytes:
    """SHA-256 of the canonical JSON of what a judge says for its scores, by line and then by contestant. Raises
    `canonical.CanonicalError`, a ValueError, for text that has none."""
    return hashlib.sha256(canonical.encode([list(each) for each in reasons])).digest()
