"""What a signature of a transcript is over: EIP-712 typed data, as any wallet shows and signs it. Pure.

The arena signs it, and so may every seat: the same words, by another key. The domain names the chain and the escrow, so that no
signature says anything about another arena's documents.
"""

from __future__ import annotations

from typing import Any

_DOMAIN = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)
_TRANSCRIPT = (
    ("session", "string"),
    ("digest", "bytes32"),
    ("root", "bytes32"),
    ("entries", "uint64"),
)


def transcript_data(
    chain_id: int, escrow: str, *, session: str, digest: str, root: str, entries: int
) -> dict[str, Any]:
    """For `eth_signTypedData_v4`; `digest` and `root` are hex of 32 bytes without 0x."""
    message = {
        "session": session,
        "digest": "0x" + digest,
        "root": "0x" + root,
        "entries": entries,
    }
    return typed_data(chain_id, escrow, "Transcript", _TRANSCRIPT, message)


def typed_data(
    chain_id: int,
    escrow: str,
    name: str,
    fields: tuple[tuple[str, str], ...],
    message: dict[str, Any],
) -> dict[str, Any]:
    """A document of the arena's under its domain."""
    kinds = {"EIP712Domain": _DOMAIN, name: fields}
    return {
        "types": {
            kind: [{"name": field, "type": type_} for field, type_ in pairs]
            for kind, pairs in kinds.items()
        },
        "primaryType": name,
        "domain": {
            "name": "Agon",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": escrow,
        },
        "message": message,
    }
