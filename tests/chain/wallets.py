"""Wallets with keys, which sign what contracts check (EIP-712)."""

from __future__ import annotations

from typing import Any

import boa

from chain.ethereum import Account, LocalAccount, encode_typed_data

Signature = tuple[int, bytes, bytes]
"""v, r, s."""

_TYPES = {
    "Permit": "address owner,address spender,uint256 value,uint256 nonce,uint256 deadline",
    "TransferWithAuthorization": "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce",
    "ReceiveWithAuthorization": "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce",
    "CancelAuthorization": "address authorizer,bytes32 nonce",
    "AgentWalletSet": "uint256 agentId,address newWallet,address owner,uint256 deadline",
    "Limits": "address owner,uint64 max_entry,uint64 daily_cap,uint64 expires,uint64 nonce",
}
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def wallet(number: int) -> LocalAccount:
    """The same key for the same number."""
    account: LocalAccount = Account.from_key(number.to_bytes(32, "big"))
    return account


def domain(contract: Any) -> dict[str, Any]:
    """A contract's signing domain, as it tells it (EIP-5267)."""
    _, name, version, chain_id, address, _, _ = contract.eip712Domain()
    return {
        "name": name,
        "version": version,
        "chainId": chain_id,
        "verifyingContract": str(address),
    }


def sign(signer: LocalAccount, contract: Any, kind: str, *values: Any, **other: Any) -> Signature:
    """A signature of that message for that contract; `other` replaces parts of its domain."""
    fields = [
        dict(zip(("type", "name"), field.split(), strict=True)) for field in _TYPES[kind].split(",")
    ]
    message = dict(zip((field["name"] for field in fields), values, strict=True))
    typed = encode_typed_data(domain(contract) | other, {kind: fields}, message)
    signed = signer.sign_message(typed)
    return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


def mirrored(signature: Signature) -> Signature:
    """The other signature of the same message by the same key: s in the upper half, v the other way."""
    v, r, s = signature
    return 55 - v, r, (ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")


def now() -> int:
    """The time of the block, in seconds."""
    seconds: int = boa.env.evm.patch.timestamp
    return seconds
