"""One node of one chain, asked over JSON-RPC: time-outs, bounds, retries for reads and never for sending.

Everything comes from the same node: a head of one and the logs of another that is behind would look like a chain without
them. A URL may hold a secret, so no error repeats it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any, NoReturn

import aiohttp
from eth_typing import URI
from eth_utils.address import to_checksum_address

from chain.client.node import (
    Head,
    Log,
    RangeTooWide,
    Reverted,
    RpcUnavailable,
    SendRefused,
    Trouble,
    WrongChain,
    trouble,
)
from chain.client.nonces import Call, Mined
from chain.client.web3_guarded import (
    AsyncHTTPProvider,
    AsyncWeb3,
    BlockNotFound,
    ContractLogicError,
    TransactionNotFound,
    Web3Exception,
    Web3RPCError,
)

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 32 * 1024 * 1024
READ_TRIES = 3
BACKOFF_S = 0.2


class Rpc:
    """The node at `url`, which must be of `chain_id`."""

    def __init__(self, url: str, chain_id: int, *, timeout_s: float = TIMEOUT_S) -> None:
        self.chain_id = chain_id
        self._provider = _Provider(url, timeout_s)
        # None of the middleware: it guesses fees, looks names up and asks for the chain's id at every call.
        self.web3 = AsyncWeb3(self._provider, middleware=[])
        self._checked = False

    async def close(self) -> None:
        """Idempotent."""
        await self._provider.disconnect()

    async def check(self) -> None:
        """Raises WrongChain, RpcUnavailable."""
        found = await self._ask(self.web3.eth.chain_id)
        if found != self.chain_id:
            raise WrongChain(f"the node is of chain {found}, not of chain {self.chain_id}")
        self._checked = True

    async def genesis(self) -> str:
        """The hash of the first block: two chains for development may have the same id."""
        block = await self.block(0)
        if block is None:
            raise RpcUnavailable("the node has no first block")
        return block.hash

    async def head(self) -> Head:
        """Raises WrongChain, RpcUnavailable."""
        if not self._checked:
            await self.check()
        return _head(await self._ask(self.web3.eth.get_block("latest")))

    async def block(self, number: int) -> Head | None:
        """None where the chain is not that high."""
        try:
            return _head(await self._ask(self.web3.eth.get_block(number)))
        except BlockNotFound:
            return None

    async def nonce(self, address: str, block: int) -> int:
        """How many transactions the address has sent, up to a block."""
        return int(await self._ask(self.web3.eth.get_transaction_count(_address(address), block)))

    async def waiting(self, address: str) -> int:
        """The same with those that the node knows to wait without a gap; some nodes know of none."""
        where: Any = "pending"
        return int(await self._ask(self.web3.eth.get_transaction_count(_address(address), where)))

    async def balance(self, address: str, block: int) -> int:
        """Wei."""
        return int(await self._ask(self.web3.eth.get_balance(_address(address), block)))

    async def code(self, address: str) -> bytes:
        return bytes(await self._ask(self.web3.eth.get_code(_address(address))))

    async def tip(self) -> int:
        """Wei a unit of gas that the node suggests."""
        return int(await self._ask(self.web3.eth.max_priority_fee))

    async def mined(self, hash_: str) -> Mined | None:
        """Where a transaction is; None while it is in no block."""
        try:
            receipt: Any = await self._ask(self.web3.eth.get_transaction_receipt(_hash(hash_)))
        except TransactionNotFound:
            return None
        if receipt["blockNumber"] is None or receipt["blockHash"] is None:
            return None  # some nodes make receipts of what waits
        return Mined(
            hash=hash_,
            number=int(receipt["blockNumber"]),
            block_hash=receipt["blockHash"].to_0x_hex(),
            succeeded=receipt["status"] == 1,
            gas_used=int(receipt["gasUsed"]),
            price=int(receipt.get("effectiveGasPrice", 0)),
        )

    async def known(self, hash_: str) -> bool:
        """Whether the node has the transaction, in a block or waiting."""
        try:
            await self._ask(self.web3.eth.get_transaction(_hash(hash_)))
        except TransactionNotFound:
            return False
        return True

    async def sent(self, hash_: str) -> tuple[str | None, bytes] | None:
        """To whom a transaction was sent, EIP-55, and its data; None where the node has none such."""
        try:
            found: Any = await self._ask(self.web3.eth.get_transaction(_hash(hash_)))
        except TransactionNotFound:
            return None
        return found.get("to"), bytes(found["input"])

    async def call(self, to: str, data: bytes, block: int | None = None) -> bytes:
        """What the contract returns, in the state after a block; nothing where there is none. Raises Reverted."""
        where: Any = "latest" if block is None else block
        call: Any = {"to": _address(to), "data": data}
        return bytes(await self._ask(self.web3.eth.call(call, where)))

    async def estimate(self, sender: str, call: Call) -> int:
        """Gas. Raises Reverted where it would fail, also for want of money."""
        asked: Any = {"from": _address(sender), "data": call.data, "value": call.value}
        if call.to is not None:
            asked["to"] = _address(call.to)
        try:
            return int(await self._ask(self.web3.eth.estimate_gas(asked)))
        except SendRefused as refused:
            raise Reverted(str(refused)) from None

    async def send(self, raw: bytes) -> None:
        """Hand over a signed transaction. Raises SendRefused; RpcUnavailable when it is unknown whether it was taken."""
        try:
            await self._ask(self.web3.eth.send_raw_transaction(raw))
        except (Reverted, _Refused) as refused:
            raise SendRefused(Trouble.OTHER, str(refused)) from None

    async def mine(self) -> None:
        """Ask for a block now. Chains for development make one; others refuse, which changes nothing."""
        method: Any = "evm_mine"
        await self._ask(self._provider.make_request(method, []))

    async def logs(
        self, addresses: Sequence[str], first: int, last: int, topics: Sequence[str] = ()
    ) -> list[Log]:
        """Of these contracts, in the blocks `first` to `last`, in order; `topics` are the first ones wanted, any if empty.

        Raises RangeTooWide.
        """
        wanted: Any = {"fromBlock": first, "toBlock": last}
        wanted["address"] = [_address(each) for each in addresses]
        if topics:
            wanted["topics"] = [list(topics)]
        try:
            found: Any = await self._ask(self.web3.eth.get_logs(wanted))
        except _Refused as refused:
            if (
                first < last
            ):  # words and codes differ; that fewer are asked for helps, or ends with one
                raise RangeTooWide(str(refused)) from None
            raise
        return sorted(map(_log, found), key=lambda log: (log.number, log.index))

    async def _ask(self, question: Any) -> Any:
        """Raises RpcUnavailable, Reverted, SendRefused, and NotFound as web3 says it."""
        try:
            return await question
        except (BlockNotFound, TransactionNotFound):
            raise
        except ContractLogicError as error:
            raise Reverted(*_reason(error)) from None
        except Web3RPCError as error:
            _refuse(error)
        except (aiohttp.ClientError, TimeoutError) as error:
            self._checked = False  # who answers next may be another
            raise RpcUnavailable(f"the chain's node failed: {type(error).__name__}") from None
        except (Web3Exception, ValueError, KeyError, TypeError) as error:
            raise RpcUnavailable(
                f"the chain's node answers no JSON-RPC: {type(error).__name__}"
            ) from None


_FAILS = ("revert", "out of gas", "outofgas", "gas required exceeds")
"""How nodes say that a call fails, when they do not say it as web3 knows it."""


class _Refused(RpcUnavailable):
    """The node answers with an error that we have no better name for."""


class _Provider(AsyncHTTPProvider):
    """Bounded in time and size; reads are tried again, a transaction is never sent twice unasked."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = URI(url)
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        super().__init__(
            url, request_kwargs={"timeout": timeout}, exception_retry_configuration=None
        )

    async def _make_request(self, method: Any, request_data: bytes) -> bytes:
        tries = 1 if method == "eth_sendRawTransaction" else READ_TRIES
        for attempt in range(1, tries + 1):
            try:
                return await self._post(request_data)
            except (aiohttp.ClientError, TimeoutError):
                if attempt == tries:
                    raise
            await asyncio.sleep(BACKOFF_S * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        raise AssertionError("the last try returns or raises")

    async def _post(self, data: bytes) -> bytes:
        manager = self._request_session_manager
        session = await manager.async_cache_and_return_session(self._url)
        async with session.post(self._url, data=data, **self.get_request_kwargs()) as answer:
            answer.raise_for_status()
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise aiohttp.ClientPayloadError("more than was asked")
        return bytes(body)


def _refuse(error: Web3RPCError) -> NoReturn:
    told: Any = (error.rpc_response or {}).get("error") or {}
    message = str(told.get("message", "") if isinstance(told, dict) else told)[:300]
    lower = message.lower()
    if any(words in lower for words in _FAILS):
        raise Reverted(message) from None
    if trouble(message) is not Trouble.OTHER:
        raise SendRefused(trouble(message), message) from None
    raise _Refused(f"the chain's node refused: {message}") from None


def _reason(error: ContractLogicError) -> tuple[str, str]:
    message = str(error.message or "execution reverted")
    data = error.data if isinstance(error.data, str) else ""
    return message.removeprefix("execution reverted: ")[:300], data


def _address(text: str) -> Any:
    return to_checksum_address(text)


def _hash(text: str) -> Any:
    return bytes.fromhex(text[2:])


def _head(block: Any) -> Head:
    return Head(
        number=int(block["number"]),
        hash=block["hash"].to_0x_hex(),
        parent=block["parentHash"].to_0x_hex(),
        timestamp=int(block["timestamp"]),
        base_fee=int(block.get("baseFeePerGas") or 0),
        gas_limit=int(block["gasLimit"]),
    )


def _log(log: Any) -> Log:
    return Log(
        address=str(log["address"]),
        topics=tuple(topic.to_0x_hex() for topic in log["topics"]),
        data=bytes(log["data"]),
        number=int(log["blockNumber"]),
        block_hash=log["blockHash"].to_0x_hex(),
        index=int(log["logIndex"]),
        tx=log["transactionHash"].to_0x_hex(),
        tx_index=int(log["transactionIndex"]),
    )
