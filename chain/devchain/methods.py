"""The JSON-RPC methods: those that clients need of a chain, and some that only tests may ask of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from chain.devchain import shapes
from chain.devchain.evm import GAS_LIMIT, Call, CallFailed, Invalid
from chain.devchain.node import Node
from chain.devchain.requests import Params, Request, RpcError, invalid, to_block, to_bytes, to_int

CLIENT = "agon-devchain/1"
TIP_WEI = 1_000_000
"""What we suggest: nobody is paid for making blocks here."""
MAX_RANGE = 10_000
"""Blocks one eth_getLogs may span."""
MAX_LOGS = 10_000
MAX_ANY_OF = 100
"""Addresses, or topics for one place, that one eth_getLogs may name."""
MAX_HISTORY = 1_024
MAX_MINED = 10_000

Method = Callable[[Params], Any]


class Methods:
    """Answers requests about one node, one at a time. `instant` makes a block for each transaction at once."""

    def __init__(self, node: Node, *, instant: bool) -> None:
        self._node = node
        self.instant = instant
        self._methods: dict[str, Method] = {
            "web3_clientVersion": lambda _: CLIENT,
            "net_version": lambda _: str(node.chain_id),
            "net_listening": lambda _: True,
            "eth_chainId": lambda _: shapes.number(node.chain_id),
            "eth_syncing": lambda _: False,
            "eth_accounts": lambda _: [],
            "eth_blockNumber": lambda _: shapes.number(node.head.block_number),
            "eth_gasPrice": lambda _: shapes.number(self._base_fee() + TIP_WEI),
            "eth_maxPriorityFeePerGas": lambda _: shapes.number(TIP_WEI),
            "eth_feeHistory": self._fee_history,
            "eth_getBlockByNumber": lambda p: self._block(self._number(p.block(0)), p.flag(1)),
            "eth_getBlockByHash": lambda p: self._block(
                node.disk.block_number(p.hash(0)), p.flag(1)
            ),
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionReceipt": self._receipt,
            "eth_getTransactionCount": self._count,
            "eth_getBalance": lambda p: shapes.number(self._state(p, 1).get_balance(p.address(0))),
            "eth_getCode": lambda p: shapes.data(self._state(p, 1).get_code(p.address(0))),
            "eth_getStorageAt": lambda p: shapes.word(
                self._state(p, 2).get_storage(p.address(0), p.number(1))
            ),
            "eth_getLogs": self._logs,
            "eth_call": self._call,
            "eth_estimateGas": self._estimate,
            "eth_sendRawTransaction": self._send,
            "evm_mine": self._mine,
            "evm_increaseTime": lambda p: node.pass_time(p.number(0)),
            "evm_setNextBlockTimestamp": lambda p: node.next_timestamp(p.number(0)),
            "evm_setAutomine": self._set_automine,
            "evm_snapshot": lambda _: shapes.number(node.head.block_number),
            "evm_revert": self._revert,
            "evm_reorg": self._reorg,
        }

    def answer(self, request: Request) -> dict[str, Any]:
        """The response; whatever goes wrong is an error in it."""
        told: dict[str, Any] = {"jsonrpc": "2.0", "id": request.id}
        try:
            told["result"] = self._result(request)
        except RpcError as error:
            told["error"] = {"code": error.code, "message": str(error)}
            if error.data is not None:
                told["error"]["data"] = error.data
        return told

    def _result(self, request: Request) -> Any:
        method = self._methods.get(request.method)
        if method is None:
            name = request.method[:64]
            raise RpcError(-32601, f"the method {name} does not exist/is not available")
        try:
            return method(Params(request.params))
        except Invalid as error:
            raise RpcError(-32000, str(error)) from None
        except CallFailed as failed:
            if failed.data is None:
                raise RpcError(-32000, str(failed)) from None
            raise RpcError(3, str(failed), shapes.data(failed.data)) from None
        except RecursionError:
            raise RpcError(-32000, "the call is nested too deeply for this chain") from None

    # Blocks.

    def _number(self, block: int | bytes | str) -> int | None:
        """Of a block that may not be there. `pending` is the newest: what waits is in no block."""
        if isinstance(block, bytes):
            return self._node.disk.block_number(block)
        if isinstance(block, int):
            return block
        return 0 if block == "earliest" else int(self._node.head.block_number)

    def _header(self, block: int | bytes | str) -> Any:
        number = self._number(block)
        header = None if number is None else self._node.header(min(number, 2**63 - 1))
        if header is None:
            raise RpcError(-32000, "header not found")
        return header

    def _state(self, params: Params, at: int) -> Any:
        return self._node.evm.state(self._header(params.block(at)))

    def _base_fee(self) -> int:
        return int(self._node.pending_header().base_fee_per_gas)

    def _block(self, number: int | None, full: bool) -> Any:
        found = None if number is None else self._node.disk.block(min(number, 2**63 - 1))
        if found is None or number is None or not full:
            return None if found is None else msgspec.Raw(found)
        told = msgspec.json.decode(found)
        told["transactions"] = [msgspec.Raw(tx) for tx in self._node.disk.txs(number)]
        return told

    def _fee_history(self, params: Params) -> dict[str, Any]:
        newest = int(self._header(params.block(1)).block_number)
        count = min(params.number(0), MAX_HISTORY, newest + 1)
        if count == 0:
            raise invalid("feeHistory of no block")
        headers = [self._node.header(newest - back) for back in reversed(range(count))]
        following = self._node.evm.next_header(headers[-1], headers[-1].timestamp + 1)
        history: dict[str, Any] = {
            "oldestBlock": shapes.number(newest - count + 1),
            "baseFeePerGas": [
                shapes.number(each.base_fee_per_gas) for each in (*headers, following)
            ],
            "gasUsedRatio": [each.gas_used / each.gas_limit for each in headers],
        }
        percentiles = params.get(2)
        if isinstance(percentiles, list) and percentiles:
            history["reward"] = [[shapes.number(TIP_WEI)] * min(len(percentiles), 100)] * count
        return history

    # Transactions.

    def _transaction(self, params: Params) -> Any:
        found = self._node.disk.tx(params.hash(0))
        if found is not None:
            return msgspec.Raw(found.json)
        waiting = self._node.waiting(params.hash(0))
        return None if waiting is None else shapes.transaction(waiting)

    def _receipt(self, params: Params) -> Any:
        found = self._node.disk.tx(params.hash(0))
        return None if found is None else msgspec.Raw(found.receipt)

    def _count(self, params: Params) -> str:
        address, block = params.address(0), params.block(1)
        if block == "pending":
            return shapes.number(self._node.nonce(address, pending=True))
        return shapes.number(self._node.evm.state(self._header(block)).get_nonce(address))

    def _send(self, params: Params) -> str:
        hash_ = self._node.submit(params.data(0))
        if self.instant:
            self._node.mine()
        return shapes.data(hash_)

    # Calls.

    def _call(self, params: Params) -> str:
        block = params.block(1)
        header = self._node.pending_header() if block == "pending" else self._header(block)
        return shapes.data(self._node.evm.call(header, _call_of(params.object(0))))

    def _estimate(self, params: Params) -> str:
        if params.get(1) in (None, "latest", "pending"):
            header = self._node.pending_header()
        else:
            header = self._header(params.block(1))
        return shapes.number(self._node.evm.estimate(header, _call_of(params.object(0))))

    def _logs(self, params: Params) -> list[msgspec.Raw]:
        asked = params.object(0)
        head = int(self._node.head.block_number)
        if asked.get("blockHash") is not None:
            first = last = self._number(to_bytes(asked["blockHash"], "blockHash", size=32))
            if first is None:
                raise RpcError(-32000, "unknown block")
        else:
            first = self._number(to_block(asked.get("fromBlock"), "fromBlock"))
            last = self._number(to_block(asked.get("toBlock"), "toBlock"))
        assert first is not None
        assert last is not None
        if first > last:
            raise invalid("invalid block range params")
        if first > head:
            return []
        if last - first >= MAX_RANGE:
            raise RpcError(-32005, f"query exceeds the range of {MAX_RANGE} blocks")
        found = self._node.disk.logs(
            first,
            min(last, head),
            _any_of(asked.get("address"), "address", 20),
            _topics(asked.get("topics")),
            MAX_LOGS + 1,
        )
        if len(found) > MAX_LOGS:
            raise RpcError(-32005, f"query returned more than {MAX_LOGS} results")
        return [msgspec.Raw(each) for each in found]

    # For tests.

    def _mine(self, params: Params) -> str:
        for _ in range(min(params.number(0, 1), MAX_MINED)):
            self._node.mine()
        return "0x0"

    def _set_automine(self, params: Params) -> bool:
        self.instant = params.flag(0)
        return True

    def _revert(self, params: Params) -> bool:
        self._node.wind_back(params.number(0))
        return True

    def _reorg(self, params: Params) -> bool:
        """[depth, whether the transactions are lost]."""
        self._node.reorganise(params.number(0), drop=params.flag(1))
        return True


def _call_of(asked: dict[str, Any]) -> Call:
    data = asked.get("input", asked.get("data"))
    gas = to_int(asked["gas"], "gas") if asked.get("gas") is not None else GAS_LIMIT
    return Call(
        sender=_optional(asked.get("from"), "from", bytes(20)),
        to=_optional(asked.get("to"), "to", b""),
        value=to_int(asked.get("value", 0), "value"),
        data=b"" if data is None else to_bytes(data, "data"),
        gas=min(gas, GAS_LIMIT),
    )


def _optional(value: object, name: str, default: bytes) -> bytes:
    return default if value is None else to_bytes(value, name, size=20)


def _any_of(value: object, name: str, size: int) -> list[bytes]:
    if value is None:
        return []
    each = value if isinstance(value, list) else [value]
    if len(each) > MAX_ANY_OF:
        raise invalid(f"more than {MAX_ANY_OF} values for {name}")
    return [to_bytes(one, name, size=size) for one in each]


def _topics(value: object) -> list[list[bytes]]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > 4:
        raise invalid("topics must be a list of at most 4")
    return [_any_of(each, "topic", 32) for each in value]
