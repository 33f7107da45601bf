"""What judges sign: EIP-712 typed data, that any wallet shows and that the contract takes from whoever brings it. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from chain.court.commitment import Court
from chain.documents.signature import recovered, signed
from chain.ethereum import LocalAccount

NAME, VERSION = "Agon Court", "1"

_DOMAIN = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)
_COMMIT = (
    ("case", "bytes32"),
    ("hearing", "uint256"),
    ("commitment", "bytes32"),
    ("ordinal", "uint256"),
)
_REVEAL = (
    ("case", "bytes32"),
    ("hearing", "uint256"),
    ("scores_hash", "bytes32"),
    ("salt", "bytes32"),
)


class Commit(msgspec.Struct, frozen=True):
    """Says: I have judged, and will show it."""

    case: bytes
    hearing: int
    commitment: bytes
    ordinal: int
    """How many hearings the judge has committed to before, without a hole."""


class Reveal(msgspec.Struct, frozen=True):
    """Says what it was."""

    case: bytes
    hearing: int
    scores_hash: bytes
    salt: bytes


def to_sign(court: Court, message: Commit | Reveal) -> dict[str, Any]:
    """For `eth_signTypedData_v4`."""
    fields = _COMMIT if isinstance(message, Commit) else _REVEAL
    kinds = {"EIP712Domain": _DOMAIN, type(message).__name__: fields}
    values = {name: getattr(message, name) for name, _ in fields}
    return {
        "types": {
            kind: [{"name": name, "type": type_} for name, type_ in pairs]
            for kind, pairs in kinds.items()
        },
        "primaryType": type(message).__name__,
        "domain": {
            "name": NAME,
            "version": VERSION,
            "chainId": court.chain_id,
            "verifyingContract": court.address,
        },
        "message": {
            name: "0x" + value.hex() if isinstance(value, bytes) else value
            for name, value in values.items()
        },
    }


def sign(account: LocalAccount, court: Court, message: Commit | Reveal) -> str:
    """65 bytes, hex with 0x. Deterministic (RFC 6979)."""
    return signed(account, to_sign(court, message))


def recover(court: Court, message: Commit | Reveal, signature: str) -> str | None:
    """The address whose key has signed the message; None where no key has. Only the lower of the two signatures that a key
    can make of a message is taken, as by the contract: of one message there is one signature."""
    if len(signature) != 132 or not is_low(signature):
        return None
    return recovered(to_sign(court, message), signature)


_HALF = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""Of secp256k1's order (EIP-2)."""


def is_low(signature: str) -> bool:
    """Whether s is in the lower half and v is 27 or 28, as the contracts take it."""
    try:
        raw = bytes.fromhex(signature.removeprefix("0x"))
    except ValueError:
        return False
    return len(raw) == 65 and 0 < int.from_bytes(raw[32:64], "big") <= _HALF and raw[64] in (27, 28)
