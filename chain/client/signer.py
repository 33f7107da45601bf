"""A key that signs transactions of one chain (EIP-1559, type 2)."""

from __future__ import annotations

from typing import Any

from chain.client.fees import Fees
from chain.client.nonces import Call
from chain.ethereum import LocalAccount


class KeySigner:
    """An account of eth-account. The same nonce, call and fees give the same bytes (RFC 6979)."""

    def __init__(self, account: LocalAccount, chain_id: int) -> None:
        self._account = account
        self._chain_id = chain_id

    @property
    def address(self) -> str:
        return str(self._account.address)

    def sign(self, nonce: int, call: Call, fees: Fees) -> tuple[str, bytes]:
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": nonce,
            "to": b"" if call.to is None else bytes.fromhex(call.to[2:]),
            "value": call.value,
            "data": call.data,
            "gas": call.gas,
            "maxFeePerGas": fees.most,
            "maxPriorityFeePerGas": fees.tip,
        }
        signed = self._account.sign_transaction(transaction)
        return signed.hash.to_0x_hex(), bytes(signed.raw_transaction)
