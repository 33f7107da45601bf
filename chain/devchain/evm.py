"""py-evm: runs transactions, calls and blocks of the newest fork it knows (Prague); keeps no chain of its own.

Which blocks are the chain is `node.py`'s affair: here a block is its header, found by its hash.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_limit = sys.getrecursionlimit()

import rlp  # noqa: E402 - between the lines that keep the limit, as in chain.ethereum
from eth.consensus import ConsensusContext  # noqa: E402
from eth.db.atomic import AtomicDB  # noqa: E402
from eth.db.backends.base import BaseDB  # noqa: E402
from eth.db.chain import ChainDB  # noqa: E402
from eth.exceptions import Revert, VMError  # noqa: E402
from eth.rlp.headers import BlockHeader  # noqa: E402
from eth.vm.chain_context import ChainContext  # noqa: E402
from eth.vm.forks.prague import PragueVM  # noqa: E402
from eth.vm.forks.prague.constants import (  # noqa: E402
    HISTORY_STORAGE_ADDRESS,
    HISTORY_STORAGE_CONTRACT_CODE,
)
from eth.vm.spoof import SpoofTransaction  # noqa: E402
from eth_utils.exceptions import ValidationError  # noqa: E402

sys.setrecursionlimit(_limit)

from chain.devchain.disk import Disk  # noqa: E402

EVM_RECURSION = 12 * 1024
"""What py-evm asks for: 1,024 nested calls of contracts. Only a process that does nothing else should set it."""
GAS_LIMIT = 30_000_000
BASE_FEE_WEI = 1_000_000_000
"""Of the first block."""


class Invalid(ValueError):
    """A transaction that can be in no block, or not in this one."""


class CallFailed(Exception):
    """A call, or a transaction to be estimated, fails. `data` is what a revert returns."""

    def __init__(self, message: str, data: bytes | None) -> None:
        super().__init__(message)
        self.data = data


class Call(NamedTuple):
    """What `eth_call` and `eth_estimateGas` are asked; no `to` makes a contract."""

    sender: bytes
    to: bytes
    value: int
    data: bytes
    gas: int


class Built(NamedTuple):
    """A block that has been run: its header, what is in it, and what was left out for good."""

    header: Any
    transactions: list[Any]
    receipts: list[Any]
    refused: list[Any]
    size: int


class _Ran(NamedTuple):
    output: bytes
    gas_of_all: int
    """What was used, before refunds."""


class Evm:
    """Runs on what `disk` holds."""

    def __init__(self, disk: Disk, chain_id: int) -> None:
        self._db = AtomicDB(_Map(disk))
        self._chaindb = ChainDB(self._db)
        self._context = ChainContext(chain_id)
        self._consensus = ConsensusContext(self._db)
        self.chain_id = chain_id

    def genesis(self, balances: Mapping[bytes, int], timestamp: int) -> Any:
        """Write the first block, and return its header."""
        before = BlockHeader(difficulty=0, block_number=-1, gas_limit=0)
        state = PragueVM.build_state(self._db, before, self._context)
        for address, wei in balances.items():
            state.set_balance(address, wei)
        # EIP-2935: contracts may ask for the hashes of the last 8,191 blocks.
        state.set_code(HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CONTRACT_CODE)
        state.set_nonce(HISTORY_STORAGE_ADDRESS, 1)
        state.persist()
        header = PragueVM.create_genesis_header(
            difficulty=0,
            gas_limit=GAS_LIMIT,
            timestamp=timestamp,
            base_fee_per_gas=BASE_FEE_WEI,
            mix_hash=os.urandom(32),
            nonce=bytes(8),
            state_root=state.state_root,
        )
        self._keep(header)
        return header

    def header(self, hash_: bytes) -> Any:
        return self._chaindb.get_block_header_by_hash(hash_)

    def transactions(self, header: Any) -> list[Any]:
        """Of a block, in their order."""
        builder = PragueVM.get_block_class().get_transaction_builder()
        return list(self._chaindb.get_block_transactions(header, builder))

    def decode(self, raw: bytes) -> Any:
        """A signed transaction. Raises Invalid."""
        if raw[:1] in (b"\x03", b"\x04"):
            raise Invalid(f"transaction type {raw[0]} is not supported, only 0, 1 and 2")
        try:
            transaction = PragueVM.get_transaction_builder().decode(raw)
            transaction.validate()
            transaction.check_signature_validity()
            # Bytes that mean the same, written otherwise, would have another hash.
            canonical = transaction.encode() == raw
        except (ValidationError, rlp.exceptions.RLPException, ValueError, TypeError) as error:
            raise Invalid(f"rlp: cannot decode the transaction: {_short(error)}") from None
        if not canonical:
            raise Invalid("rlp: non-canonical encoding")
        if transaction.chain_id is None:
            raise Invalid("only replay-protected (EIP-155) transactions allowed over RPC")
        if transaction.chain_id != self.chain_id:
            raise Invalid(f"invalid chain id: have {transaction.chain_id} want {self.chain_id}")
        return transaction

    def next_header(self, parent: Any, timestamp: int) -> Any:
        return PragueVM.create_header_from_parent(
            parent, timestamp=timestamp, gas_limit=GAS_LIMIT, mix_hash=os.urandom(32)
        )

    def build(self, parent: Any, transactions: Sequence[Any], timestamp: int) -> Built:
        """A block of as many of the transactions as it takes, in their order, written.

        What is out of room is simply not in it; what cannot be run at all is `refused`.
        """
        header = self.next_header(parent, timestamp)
        vm = self._vm(header)
        vm.block_preprocessing(vm.get_block())
        done, receipts, refused = [], [], []
        for transaction in transactions:
            if header.gas_used + transaction.gas > header.gas_limit:
                continue
            try:
                receipt, _ = vm.apply_transaction(header, transaction)
            except ValidationError:
                refused.append(transaction)
                continue
            header = vm.add_receipt_to_header(header, receipt)
            done.append(transaction)
            receipts.append(receipt)
        filled = vm.set_block_transactions_and_withdrawals(vm.get_block(), header, done, receipts)
        block = vm.mine_block(vm.block_postprocessing(filled)).block
        self._keep(block.header)
        return Built(block.header, done, receipts, refused, len(rlp.encode(block)))

    def call(self, header: Any, call: Call) -> bytes:
        """What the call returns in the state after a block. Raises CallFailed."""
        return bytes(self._run(header, call, call.gas).output)

    def estimate(self, header: Any, call: Call) -> int:
        """The least gas with which it succeeds, to within a hundredth. Raises CallFailed."""
        low = enough = self._run(header, call, call.gas).gas_of_all
        while enough < call.gas and not self._succeeds(header, call, enough):
            # A call hands on 63/64 of its gas (EIP-150), and refunds come at the end: more is needed than is used.
            low, enough = enough, min(call.gas, enough + enough // 16 + 2_300)
        while enough - low > max(1, enough // 100):
            middle = (low + enough) // 2
            if self._succeeds(header, call, middle):
                enough = middle
            else:
                low = middle
        return enough

    def state(self, header: Any) -> Any:
        """The accounts after a block; what is changed in it is forgotten."""
        return self._vm(header).state

    def _run(self, header: Any, call: Call, gas: int) -> _Ran:
        builder = PragueVM.get_transaction_builder()
        state = self.state(header.copy(base_fee_per_gas=0))
        if state.get_balance(call.sender) < call.value:
            raise CallFailed("insufficient funds for gas * price + value", None)
        try:
            unsigned = builder.new_unsigned_dynamic_fee_transaction(
                chain_id=self.chain_id,
                nonce=state.get_nonce(call.sender),
                max_priority_fee_per_gas=0,
                max_fee_per_gas=0,
                gas=gas,
                to=call.to,
                value=call.value,
                data=call.data,
                access_list=(),
            )
            transaction = SpoofTransaction(unsigned, from_=call.sender)
            if transaction.intrinsic_gas > gas:
                raise CallFailed(
                    f"intrinsic gas too low: have {gas}, want {transaction.intrinsic_gas}", None
                )
            computation = state.apply_transaction(transaction)
        except ValidationError as error:
            raise CallFailed(_short(error), None) from None
        if computation.is_error:
            raise _failure(computation)
        return _Ran(computation.output, int(transaction.gas_used_by(computation)))

    def _succeeds(self, header: Any, call: Call, gas: int) -> bool:
        try:
            self._run(header, call, gas)
        except CallFailed:
            return False
        return True

    def _vm(self, header: Any) -> Any:
        return PragueVM(
            header=header,
            chaindb=self._chaindb,
            chain_context=self._context,
            consensus_context=self._consensus,
        )

    def _keep(self, header: Any) -> None:
        self._db[header.hash] = rlp.encode(header)


class _Map(BaseDB):  # type: ignore[misc] # see pyproject: py-evm's types are left out
    """The disk, as py-evm wants a database."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def __getitem__(self, key: bytes) -> bytes:
        return self._disk[key]

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._disk[key] = bytes(value)

    def __delitem__(self, key: bytes) -> None:
        del self._disk[key]

    def _exists(self, key: bytes) -> bool:
        return key in self._disk


_ERROR = bytes.fromhex("08c379a0")
"""Selector of `Error(string)`."""


def _failure(computation: Any) -> CallFailed:
    error: VMError = computation.error
    if not isinstance(error, Revert):
        return CallFailed(f"{type(error).__name__}: {_short(error)}", None)
    data = bytes(computation.output)
    reason = revert_reason(data)
    return CallFailed(f"execution reverted{': ' + reason if reason else ''}", data)


def revert_reason(data: bytes) -> str:
    """The words of `Error(string)`; nothing where it holds none."""
    if data[:4] != _ERROR or len(data) < 68:
        return ""
    length = int.from_bytes(data[36:68], "big")
    return data[68 : 68 + min(length, 1_024)].decode("utf-8", "replace")


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]
