"""The transactions that wait, by the rules that public nodes keep: one for each nonce of a sender, replaced only by one
that pays a tenth more on both fees (geth's PriceBump).

The words of the refusals are geth's, too: clients know a refusal by them.
"""

from __future__ import annotations

from typing import Any

from chain.devchain.evm import GAS_LIMIT, Invalid

MAX_WAITING = 4_096
MAX_OF_ONE = 1_024
"""Waiting transactions of one sender."""
MAX_RAW_BYTES = 128 * 1024
PRICE_BUMP_PERCENT = 10


class Pool:
    """Knows no state: what it asks about accounts is handed to it."""

    def __init__(self) -> None:
        self._by_sender: dict[bytes, dict[int, Any]] = {}
        self._by_hash: dict[bytes, Any] = {}

    def __len__(self) -> int:
        return len(self._by_hash)

    def get(self, hash_: bytes) -> Any | None:
        return self._by_hash.get(hash_)

    def add(self, transaction: Any, nonce: int, balance: int) -> Any | None:
        """Have it wait; `nonce` and `balance` are its sender's now. Returns the one it replaces. Raises Invalid."""
        if transaction.hash in self._by_hash:
            raise Invalid("already known")
        _check(transaction, nonce, balance)
        own = self._by_sender.setdefault(transaction.sender, {})
        standing = own.get(transaction.nonce)
        if standing is None and (len(self) >= MAX_WAITING or len(own) >= MAX_OF_ONE):
            raise Invalid("txpool is full")
        if standing is not None:
            if not _outbids(transaction, standing):
                raise Invalid("replacement transaction underpriced")
            del self._by_hash[standing.hash]
        own[transaction.nonce] = transaction
        self._by_hash[transaction.hash] = transaction
        return standing

    def remove(self, hash_: bytes) -> None:
        """Idempotent."""
        transaction = self._by_hash.pop(hash_, None)
        if transaction is not None:
            own = self._by_sender[transaction.sender]
            del own[transaction.nonce]
            if not own:
                del self._by_sender[transaction.sender]

    def senders(self) -> list[bytes]:
        return list(self._by_sender)

    def run_of(self, sender: bytes, nonce: int) -> list[Any]:
        """The sender's transactions from `nonce` on, up to the first gap."""
        own = self._by_sender.get(sender, {})
        run = []
        while nonce in own:
            run.append(own[nonce])
            nonce += 1
        return run

    def stale(self, sender: bytes, nonce: int) -> list[bytes]:
        """Hashes of the sender's transactions whose nonce has been used."""
        return [tx.hash for at, tx in self._by_sender.get(sender, {}).items() if at < nonce]


def _check(transaction: Any, nonce: int, balance: int) -> None:
    if transaction.nonce < nonce:
        raise Invalid(f"nonce too low: next nonce {nonce}, tx nonce {transaction.nonce}")
    if transaction.gas > GAS_LIMIT:
        raise Invalid("exceeds block gas limit")
    if transaction.gas < transaction.intrinsic_gas:
        raise Invalid(
            f"intrinsic gas too low: gas {transaction.gas}, minimum needed {transaction.intrinsic_gas}"
        )
    if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas:
        raise Invalid("max priority fee per gas higher than max fee per gas")
    cost = transaction.gas * transaction.max_fee_per_gas + transaction.value
    if cost > balance:
        raise Invalid(
            f"insufficient funds for gas * price + value: balance {balance}, tx cost {cost}"
        )


def _outbids(new: Any, standing: Any) -> bool:
    percent = 100 + PRICE_BUMP_PERCENT
    return bool(
        new.max_fee_per_gas * 100 >= standing.max_fee_per_gas * percent
        and new.max_priority_fee_per_gas * 100 >= standing.max_priority_fee_per_gas * percent
    )
