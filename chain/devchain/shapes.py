"""Blocks, transactions, receipts and logs as JSON-RPC tells them (execution-apis schemas)."""

from __future__ import annotations

from typing import Any

import msgspec
from eth_utils.crypto import keccak
from rlp import encode as rlp_encode

from chain.devchain.disk import LogRow, TxRow
from chain.devchain.evm import Built

Json = dict[str, Any]


def number(value: int) -> str:
    """A quantity: hex, no leading zeros."""
    return hex(value)


def data(value: bytes) -> str:
    return "0x" + value.hex()


def word(value: int) -> str:
    return data(value.to_bytes(32, "big"))


def block(header: Any, hashes: list[bytes], size: int) -> Json:
    return {
        "number": number(header.block_number),
        "hash": data(header.hash),
        "parentHash": data(header.parent_hash),
        "nonce": data(header.nonce.rjust(8, b"\0")),
        "sha3Uncles": data(header.uncles_hash),
        "logsBloom": data(header.bloom.to_bytes(256, "big")),
        "transactionsRoot": data(header.transaction_root),
        "stateRoot": data(header.state_root),
        "receiptsRoot": data(header.receipt_root),
        "miner": data(header.coinbase),
        "difficulty": "0x0",
        "totalDifficulty": "0x0",
        "extraData": data(header.extra_data),
        "size": number(size),
        "gasLimit": number(header.gas_limit),
        "gasUsed": number(header.gas_used),
        "timestamp": number(header.timestamp),
        "baseFeePerGas": number(header.base_fee_per_gas),
        "mixHash": data(header.mix_hash),
        "withdrawals": [],
        "withdrawalsRoot": data(header.withdrawals_root),
        "blobGasUsed": number(header.blob_gas_used),
        "excessBlobGas": number(header.excess_blob_gas),
        "parentBeaconBlockRoot": data(header.parent_beacon_block_root),
        "requestsHash": data(header.requests_hash),
        "transactions": [data(each) for each in hashes],
        "uncles": [],
    }


def transaction(tx: Any, header: Any | None = None, position: int | None = None) -> Json:
    """One that waits has no block."""
    kind = _kind(tx)
    told: Json = {
        "type": number(kind),
        "hash": data(tx.hash),
        "nonce": number(tx.nonce),
        "from": data(tx.sender),
        "to": data(tx.to) if tx.to else None,
        "value": number(tx.value),
        "gas": number(tx.gas),
        "input": data(tx.data),
        "chainId": number(tx.chain_id),
        "gasPrice": number(_paid(tx, header)),
        "v": number(tx.y_parity if kind else tx.v),
        "r": number(tx.r),
        "s": number(tx.s),
        "blockHash": None if header is None else data(header.hash),
        "blockNumber": None if header is None else number(header.block_number),
        "transactionIndex": None if position is None else number(position),
    }
    if kind:
        told["yParity"] = number(tx.y_parity)
        told["accessList"] = [
            {"address": data(address), "storageKeys": [word(slot) for slot in slots]}
            for address, slots in tx.access_list
        ]
    if kind == 2:
        told["maxFeePerGas"] = number(tx.max_fee_per_gas)
        told["maxPriorityFeePerGas"] = number(tx.max_priority_fee_per_gas)
    return told


def rows(built: Built) -> tuple[list[TxRow], list[LogRow]]:
    """What a block adds to what JSON-RPC reads."""
    txs: list[TxRow] = []
    logs: list[LogRow] = []
    gas_before = 0
    for at, (tx, receipt) in enumerate(zip(built.transactions, built.receipts, strict=True)):
        own = [
            LogRow(
                len(logs) + index,
                log.address,
                tuple(topic.to_bytes(32, "big") for topic in log.topics),
                msgspec.json.encode(_log(built.header, tx, at, len(logs) + index, log)),
            )
            for index, log in enumerate(receipt.logs)
        ]
        logs += own
        told = _receipt(built.header, tx, at, receipt, gas_before)
        told["logs"] = [msgspec.Raw(log.json) for log in own]
        gas_before = receipt.gas_used
        txs.append(
            TxRow(
                tx.hash,
                msgspec.json.encode(transaction(tx, built.header, at)),
                msgspec.json.encode(told),
            )
        )
    return txs, logs


def _receipt(header: Any, tx: Any, position: int, receipt: Any, gas_before: int) -> Json:
    return {
        "type": number(_kind(tx)),
        "transactionHash": data(tx.hash),
        "transactionIndex": number(position),
        "blockHash": data(header.hash),
        "blockNumber": number(header.block_number),
        "from": data(tx.sender),
        "to": data(tx.to) if tx.to else None,
        "contractAddress": None if tx.to else data(made_by(tx.sender, tx.nonce)),
        "cumulativeGasUsed": number(receipt.gas_used),
        "gasUsed": number(receipt.gas_used - gas_before),
        "effectiveGasPrice": number(_paid(tx, header)),
        "status": "0x1" if receipt.state_root == b"\x01" else "0x0",
        "logsBloom": data(receipt.bloom.to_bytes(256, "big")),
    }


def _log(header: Any, tx: Any, position: int, index: int, log: Any) -> Json:
    """`index` counts within the block."""
    return {
        "address": data(log.address),
        "topics": [word(topic) for topic in log.topics],
        "data": data(log.data),
        "blockHash": data(header.hash),
        "blockNumber": number(header.block_number),
        "blockTimestamp": number(header.timestamp),
        "transactionHash": data(tx.hash),
        "transactionIndex": number(position),
        "logIndex": number(index),
        "removed": False,
    }


def made_by(sender: bytes, nonce: int) -> bytes:
    """The address of the contract that a transaction makes."""
    return keccak(rlp_encode([sender, nonce]))[12:]


def _kind(tx: Any) -> int:
    return int(getattr(tx, "type_id", None) or 0)


def _paid(tx: Any, header: Any | None) -> int:
    """Wei a unit of gas."""
    most = int(tx.max_fee_per_gas)
    if header is None:
        return most
    return min(most, int(header.base_fee_per_gas + tx.max_priority_fee_per_gas))
