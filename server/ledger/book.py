"""What a batch of transfers does to a book of accounts. Pure; this is the only arithmetic of money.

Order matters: each transfer sees what those before it did. A chain of linked transfers stands or falls
together. Submitting again is harmless: a transfer that has happened answers EXISTS, and a chain that has
happened answers so for each of its transfers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from server.ledger.account import Account, Bound
from server.ledger.result import Result
from server.ledger.transfer import MAX_MICROS, Kind, Transfer


class Book:
    """As much of the ledger as a batch touches: its accounts, the transfers of its ids and those they
    resolve, and which of these are resolved."""

    def __init__(
        self,
        accounts: Sequence[Account] = (),
        transfers: Sequence[Transfer] = (),
        resolved: Sequence[str] = (),
    ) -> None:
        self.accounts = {account.id: account for account in accounts}
        self.transfers = {transfer.id: transfer for transfer in transfers}
        self.resolved = set(resolved)
        self.added: list[Transfer] = []
        """What has happened since, in order."""
        self.touched: set[str] = set()
        """Accounts whose counters have changed since."""


def apply(book: Book, batch: Sequence[Transfer]) -> list[Result]:
    """Let happen what may, in `book`; one result for each transfer, in order."""
    results: list[Result] = []
    for chain, closed in _chains(batch):
        results += _chain(book, chain) if closed else [Result.CHAIN_OPEN] * len(chain)
    return results


def _chains(batch: Sequence[Transfer]) -> Iterator[tuple[list[Transfer], bool]]:
    """The batch cut into chains, and whether each is closed by a transfer that is not linked."""
    chain: list[Transfer] = []
    for transfer in batch:
        chain.append(transfer)
        if not transfer.linked:
            yield chain, True
            chain = []
    if chain:
        yield chain, False


def _chain(book: Book, chain: Sequence[Transfer]) -> list[Result]:
    known = [book.transfers.get(transfer.id) for transfer in chain]
    if any(known):
        return _again(chain, known)
    before = [(id_, book.accounts.get(id_)) for each in chain for id_ in (each.debit, each.credit)]
    done: list[Transfer] = []
    for transfer in chain:
        refusal = _refusal(book, transfer)
        if refusal is not None:
            _undo(book, done, before)
            return [refusal if each is transfer else Result.LINKED_FAILED for each in chain]
        _happen(book, transfer)
        done.append(transfer)
    book.added += done
    book.touched.update(id_ for each in done for id_ in (each.debit, each.credit))
    return [Result.OK] * len(chain)


def _again(chain: Sequence[Transfer], known: Sequence[Transfer | None]) -> list[Result]:
    """A chain of which some transfers have happened: all of them, and the same, or it is refused."""
    pairs = list(zip(chain, known, strict=True))
    if all(there is not None and there.same_as(each) for each, there in pairs):
        return [Result.EXISTS] * len(chain)
    return [
        Result.CHAIN_TORN if there is None or there.same_as(each) else Result.EXISTS_DIFFERENT
        for each, there in pairs
    ]


def _refusal(book: Book, transfer: Transfer) -> Result | None:
    if not 1 <= transfer.micros <= MAX_MICROS:
        return Result.BAD_AMOUNT
    if transfer.id in book.transfers:
        return Result.EXISTS_DIFFERENT  # twice in one chain
    if transfer.debit == transfer.credit:
        return Result.SAME_ACCOUNT
    if transfer.debit not in book.accounts or transfer.credit not in book.accounts:
        return Result.UNKNOWN_ACCOUNT
    debit, credit = book.accounts[transfer.debit], book.accounts[transfer.credit]
    if not debit.asset == credit.asset == transfer.asset:
        return Result.OTHER_ASSET
    refusal = _unresolvable(book, transfer)
    if refusal is not None:
        return refusal
    debit, credit = _moved(debit, credit, transfer)
    if not debit.sound():
        return Result.EXCEEDS_CREDITS if debit.bound is Bound.DEBITS else Result.EXCEEDS_DEBITS
    if not credit.sound():
        return Result.EXCEEDS_DEBITS
    return None


def _unresolvable(book: Book, transfer: Transfer) -> Result | None:
    if transfer.kind not in (Kind.POST, Kind.VOID):
        return None if transfer.pending is None else Result.UNKNOWN_PENDING
    pending = book.transfers.get(transfer.pending or "")
    if pending is None or pending.kind is not Kind.PENDING:
        return Result.UNKNOWN_PENDING
    if pending.id in book.resolved:
        return Result.RESOLVED
    asked = (transfer.debit, transfer.credit, transfer.asset, transfer.micros)
    if asked != (pending.debit, pending.credit, pending.asset, pending.micros):
        return Result.DIFFERS_FROM_PENDING
    return None


def _happen(book: Book, transfer: Transfer) -> None:
    debit, credit = _moved(book.accounts[transfer.debit], book.accounts[transfer.credit], transfer)
    book.accounts[debit.id], book.accounts[credit.id] = debit, credit
    book.transfers[transfer.id] = transfer
    if transfer.pending is not None:
        book.resolved.add(transfer.pending)


def _undo(
    book: Book, done: Sequence[Transfer], before: Sequence[tuple[str, Account | None]]
) -> None:
    for id_, account in before:
        if account is not None:
            book.accounts[id_] = account
    for transfer in done:
        del book.transfers[transfer.id]
        if transfer.pending is not None:
            book.resolved.discard(transfer.pending)


def _moved(debit: Account, credit: Account, transfer: Transfer) -> tuple[Account, Account]:
    """Both accounts after the transfer, whether or not that is sound."""
    micros = transfer.micros
    reserved, posted = {
        Kind.POSTED: (0, micros),
        Kind.PENDING: (micros, 0),
        Kind.POST: (-micros, micros),
        Kind.VOID: (-micros, 0),
    }[transfer.kind]
    replace = msgspec.structs.replace
    return (
        replace(
            debit,
            debits_pending=debit.debits_pending + reserved,
            debits_posted=debit.debits_posted + posted,
        ),
        replace(
            credit,
            credits_pending=credit.credits_pending + reserved,
            credits_posted=credit.credits_posted + posted,
        ),
    )
