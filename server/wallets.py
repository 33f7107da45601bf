"""Whether a wallet has signed a text: by its key (EIP-191), or, a contract, by its own word (ERC-1271).

A signature by a key is taken in one form only: 65 bytes r, s, v with the lower s (EIP-2) and v 27 or 28. Contracts that
are not deployed yet (ERC-6492) are not known.
"""

from __future__ import annotations

from eth_keys.exceptions import BadSignature as NoKey
from eth_utils.exceptions import ValidationError

from chain.ethereum import Account, defunct_hash_message, encode_defunct
from server.evm import CallReverted, Chain

MAX_SIGNATURE_BYTES = 4_096
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of secp256k1 (SEC 2, section 2.4.1)."""
_IS_VALID_SIGNATURE = bytes.fromhex("1626ba7e")
"""Selector of `isValidSignature(bytes32,bytes)`, and what it returns to say yes (ERC-1271)."""
_YES = _IS_VALID_SIGNATURE.ljust(32, b"\0")


class BadSignature(ValueError):
    """Not this wallet's signature of this text."""


async def check_signature(text: str, wallet: str, signature: bytes, chain: Chain | None) -> None:
    """Returns when `wallet` (EIP-55) has signed `text`. Raises BadSignature, ChainUnavailable.

    Without a chain only keys can sign.
    """
    try:
        signer = recover(text, signature)
    except BadSignature:
        if chain is None:
            raise
        signer = None
    if signer == wallet:
        return
    if chain is None:
        raise BadSignature(f"the signature is of {signer}, not of {wallet}")
    if not await _contract_agrees(text, wallet, signature, chain):
        raise BadSignature(f"neither the key nor a contract of {wallet} has signed this message")


def recover(text: str, signature: bytes) -> str:
    """The address (EIP-55) whose key has signed `text` as EIP-191 says. Raises BadSignature."""
    if len(signature) != 65:
        raise BadSignature(f"a key's signature has 65 bytes, got {len(signature)}")
    r, s, v = (
        int.from_bytes(part, "big") for part in (signature[:32], signature[32:64], signature[64:])
    )
    if v not in (27, 28) or not 0 < r < _ORDER or not 0 < s <= _ORDER // 2:
        raise BadSignature("the signature is not in its one form: lower s, v 27 or 28")
    try:
        return str(Account.recover_message(encode_defunct(text=text), vrs=(v, r, s)))
    except (NoKey, ValidationError):
        raise BadSignature("the signature is of no key") from None


async def _contract_agrees(text: str, wallet: str, signature: bytes, chain: Chain) -> bool:
    digest = bytes(defunct_hash_message(text=text))
    data = _IS_VALID_SIGNATURE + digest + _encoded(signature)
    try:
        # All 32 bytes: a precompile or proxy that echoes its input begins with the selector, too.
        return await chain.call(wallet, data) == _YES
    except CallReverted:
        return False


def _encoded(signature: bytes) -> bytes:
    """The second argument: its offset, its length, and the bytes padded to words (the ABI's `bytes`)."""
    padded = signature.ljust(-(-len(signature) // 32) * 32, b"\0")
    return (64).to_bytes(32, "big") + len(signature).to_bytes(32, "big") + padded
