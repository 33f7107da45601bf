"""JSON-RPC as tests speak it: plain HTTP, plain JSON, so that shapes are seen as they are."""

from __future__ import annotations

from typing import Any

import httpx

from chain.devchain.accounts import ADDRESSES, KEYS
from chain.ethereum import Account

CHAIN_ID = 31_337


class Refused(Exception):
    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code = error["code"]
        self.data = error.get("data")


class Wire:
    """A node at a URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.AsyncClient(trust_env=False, timeout=30)

    async def __call__(self, method: str, *params: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        answer = (await self.http.post(self.url, json=body)).json()
        assert answer["jsonrpc"] == "2.0"
        assert answer["id"] == 7
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]

    async def close(self) -> None:
        await self.http.aclose()


def signed(
    nonce: int,
    *,
    to: str | None = ADDRESSES[9],
    data: bytes = b"",
    value: int = 0,
    gas: int = 100_000,
    fee: int = 4_000_000_000,
    tip: int = 1_000_000,
    key: str = KEYS[0],
    chain_id: int = CHAIN_ID,
) -> str:
    """A raw transaction, hex."""
    transaction: dict[str, Any] = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "to": bytes.fromhex(to[2:]) if to else b"",
        "value": value,
        "data": data,
        "gas": gas,
        "maxFeePerGas": fee,
        "maxPriorityFeePerGas": tip,
    }
    return "0x" + bytes(Account.sign_transaction(transaction, key).raw_transaction).hex()


def creation(runtime: bytes) -> bytes:
    """Code that leaves `runtime` (at most 255 bytes) as a contract."""
    return bytes.fromhex(f"60{len(runtime):02x}600c60003960{len(runtime):02x}6000f3") + runtime


ANSWER = bytes.fromhex("602a60005260206000f3")
"""Returns 42."""
LOGGER = bytes.fromhex("60003560005260003560206000a100")
"""Logs its first word, as topic and as data."""
REFUSER = bytes.fromhex(
    "6308c379a060e01b6000526020600452600360245262" + b"no!".hex() + "60e81b60445260646000fd"
)
"""Reverts with Error("no!")."""
