"""What owners sign for contracts (EIP-712), so that somebody else may bring it: limits, and deposits of USDC."""

from __future__ import annotations

from typing import Any

from chain.client.escrow import Limits
from chain.client.token import Permit
from chain.ethereum import LocalAccount, encode_typed_data

_DOMAIN = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
_LIMITS = [
    {"name": "owner", "type": "address"},
    {"name": "max_entry", "type": "uint64"},
    {"name": "daily_cap", "type": "uint64"},
    {"name": "expires", "type": "uint64"},
    {"name": "nonce", "type": "uint64"},
]
_AUTHORIZATION = [
    {"name": "from", "type": "address"},
    {"name": "to", "type": "address"},
    {"name": "value", "type": "uint256"},
    {"name": "validAfter", "type": "uint256"},
    {"name": "validBefore", "type": "uint256"},
    {"name": "nonce", "type": "bytes32"},
]

_PERMIT = [
    {"name": "owner", "type": "address"},
    {"name": "spender", "type": "address"},
    {"name": "value", "type": "uint256"},
    {"name": "nonce", "type": "uint256"},
    {"name": "deadline", "type": "uint256"},
]


def limits_to_sign(chain_id: int, escrow: str, owner: str, limits: Limits) -> dict[str, Any]:
    """The typed data, as any wallet signs it (`eth_signTypedData_v4`)."""
    message = {"owner": owner, "max_entry": limits.max_entry, "daily_cap": limits.daily_cap}
    message |= {"expires": limits.expires, "nonce": limits.nonce}
    domain = _domain("Agon", "1", chain_id, escrow)
    return _typed("Limits", _LIMITS, domain, message)


def limits(account: LocalAccount, chain_id: int, escrow: str, limits: Limits) -> bytes:
    """Of the account's own: 65 bytes r, s, v."""
    return _sign(account, limits_to_sign(chain_id, escrow, account.address, limits))


def authorization(
    account: LocalAccount,
    *,
    chain_id: int,
    usdc: str,
    usdc_name: str,
    usdc_version: str,
    escrow: str,
    amount: int,
    valid_before: int,
    nonce: bytes,
) -> dict[str, Any]:
    """Leave to the escrow, and nobody else, to take `amount` from the account until `valid_before` (EIP-3009,
    `receiveWithAuthorization`): what `Escrow.deposit_with_authorization` wants. `nonce` is 32 random bytes."""
    message = {"from": account.address, "to": escrow, "value": amount, "validAfter": 0}
    message |= {"validBefore": valid_before, "nonce": nonce}
    domain = _domain(usdc_name, usdc_version, chain_id, usdc)
    typed = _typed("ReceiveWithAuthorization", _AUTHORIZATION, domain, message)
    signature = _sign(account, typed)
    return {
        "owner": account.address,
        "amount": amount,
        "valid_after": 0,
        "valid_before": valid_before,
        "nonce": nonce,
        "v": signature[64],
        "r": signature[:32],
        "s": signature[32:64],
    }


def permit(
    account: LocalAccount,
    *,
    chain_id: int,
    token: str,
    name: str,
    version: str,
    spender: str,
    amount: int,
    nonce: int,
    deadline: int,
) -> Permit:
    """Leave to `spender` to take `amount` of a token from the account (EIP-2612). `nonce` is `Token.permits`."""
    message = {"owner": account.address, "spender": spender, "value": amount}
    message |= {"nonce": nonce, "deadline": deadline}
    typed = _typed("Permit", _PERMIT, _domain(name, version, chain_id, token), message)
    signature = _sign(account, typed)
    return Permit(deadline, signature[64], signature[:32], signature[32:64])


def _domain(name: str, version: str, chain_id: int, contract: str) -> dict[str, Any]:
    return {"name": name, "version": version, "chainId": chain_id, "verifyingContract": contract}


def _typed(
    name: str, fields: list[dict[str, str]], domain: dict[str, Any], message: dict[str, Any]
) -> dict[str, Any]:
    types = {"EIP712Domain": _DOMAIN, name: fields}
    return {"types": types, "primaryType": name, "domain": domain, "message": message}


def _sign(account: LocalAccount, typed: dict[str, Any]) -> bytes:
    return bytes(account.sign_message(encode_typed_data(full_message=typed)).signature)
