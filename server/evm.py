"""The one JSON-RPC call that signing in needs of a chain: a call of a contract that changes nothing.

Each has a connection of its own, a time-out and a bound on what is read.
"""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from bots.api import is_loopback

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 64 * 1024


class ChainUnavailable(Exception):
    """The node does not answer, or not as a node does. The message holds no address: it may be secret."""


class CallReverted(Exception):
    """The contract refused the call."""


class Chain:
    """The chain `chain_id`, seen by an EVM node at `url` (http or https)."""

    def __init__(self, url: str, chain_id: int) -> None:
        self._url = url
        self._chain_id = chain_id

    async def call(self, to: str, data: bytes) -> bytes:
        """What the contract `to` returns in the latest block; nothing where there is no contract.

        Raises CallReverted; ChainUnavailable also where the node is of another chain, on which the same
        address may be somebody else's contract.
        """
        found = int.from_bytes(_bytes(await self._ask("eth_chainId", [])), "big")
        if found != self._chain_id:
            raise ChainUnavailable(f"the node is of chain {found}, not of chain {self._chain_id}")
        return _bytes(
            await self._ask("eth_call", [{"to": to, "data": "0x" + data.hex()}, "latest"])
        )

    async def _ask(self, method: str, params: list[Any]) -> str:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            answer = msgspec.json.decode(await self._post(msgspec.json.encode(body)), type=_Answer)
        except httpx.HTTPError as error:
            raise ChainUnavailable(f"the chain's node failed: {type(error).__name__}") from None
        except msgspec.DecodeError as error:
            raise ChainUnavailable(f"the chain's node answers no JSON-RPC: {error}") from None
        if answer.error is not None:
            # Nodes agree on no code for a revert: geth says 3, others -32000 to -32015 with words.
            if method == "eth_call":
                raise CallReverted(answer.error.message[:200])
            raise ChainUnavailable(f"the chain's node refused {method}")
        if answer.result is None:
            raise ChainUnavailable(f"the chain's node gave no result of {method}")
        return answer.result

    async def _post(self, body: bytes) -> bytes:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=not is_loopback(self._url)) as http,
            http.stream(
                "POST", self._url, content=body, headers={"Content-Type": "application/json"}
            ) as answer,
        ):
            found = bytearray()
            async for chunk in answer.aiter_bytes():
                found += chunk
                if len(found) > MAX_ANSWER_BYTES:
                    raise ChainUnavailable("the chain's node answered more than was asked")
        return bytes(found)


class _Error(msgspec.Struct):
    message: str = ""


class _Answer(msgspec.Struct):
    result: str | None = None
    error: _Error | None = None


def _bytes(text: str) -> bytes:
    digits = text.removeprefix("0x")
    try:
        return bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2))
    except ValueError:
        raise ChainUnavailable("the chain's node answered no hexadecimal number") from None
