"""What an epoch settles, what each wallet has won by it, and what its documents say. Pure.

On the chain a session's whole pot goes out: to the wallets behind the seats that its result pays, and all fees to the
treasury's, whatever pools the ledger keeps them in. So an epoch allots exactly the pots that it settles. Sums are cumulative
over all epochs and never fall; a wallet that has won nothing is not in the tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from chain.documents import epoch as epochs
from chain.documents import payouts as payout_documents
from chain.documents import result as results
from chain.documents.epoch import EpochDocument, EpochPayouts, EpochResult
from chain.documents.form import digest_of
from chain.documents.payouts import PayoutsDocument
from chain.documents.result import ResultDocument

ASSET = "usdc"


class WrongResult(ValueError):
    """The result does not pay out the pot that the escrow took: a defect, and the session must not be settled by it."""


class Settled(msgspec.Struct, frozen=True):
    """A session that is open on the chain, and what came of it."""

    session: str
    entry_micros: int
    """What each seat paid."""
    owners: tuple[str, ...]
    """The wallet behind each seat."""
    result: ResultDocument
    """As it was signed."""


class Reckoned(msgspec.Struct, frozen=True):
    """An epoch, not yet signed."""

    epoch: EpochDocument
    payouts: PayoutsDocument


def shares(settled: Settled, treasury: str) -> dict[str, int]:
    """What each wallet gets of the session's pot, micros, by address in lower case. Raises WrongResult."""
    result, count = settled.result, len(settled.owners)
    if result.session != settled.session or result.status != "settled":
        raise WrongResult(f"session {settled.session}: its result is {result.status}")
    if len(result.seats) != count or any(
        seat.wallet is None or seat.wallet.lower() != owner.lower()
        for seat, owner in zip(result.seats, settled.owners, strict=False)
    ):
        raise WrongResult(f"session {settled.session}: not the wallets that paid")
    pot = settled.entry_micros * count
    if results.pot_of(result) != pot:
        raise WrongResult(
            f"session {settled.session}: its result pays out {results.pot_of(result)} micros of a pot of {pot}"
        )
    wallets = {f"{ASSET}:agent:{seat.agent}": seat.wallet or "" for seat in result.seats}
    paid = [(wallets.get(each.to), each.amount) for each in result.payouts_micros]
    fees = result.fees_micros
    paid.append((treasury, fees.protocol + fees.judges + fees.operators))
    found: dict[str, int] = {}
    for wallet, amount in paid:
        if wallet is None:
            raise WrongResult(f"session {settled.session}: it pays somebody who has no seat")
        if amount:
            found[wallet.lower()] = found.get(wallet.lower(), 0) + amount
    return found


def reckon(
    *,
    number: int,
    chain_id: int,
    escrow: str,
    treasury: str,
    before: Mapping[str, int],
    settled: Sequence[Settled],
    now_ms: int,
) -> Reckoned:
    """The documents of an epoch that settles these sessions, each once, in any order. `before` is what each wallet had been
    allotted by the epoch before. Raises WrongResult, and ValueError for none, or one twice."""
    order = sorted(settled, key=lambda each: each.session)
    if not order or len({each.session for each in order}) < len(order):
        raise ValueError("an epoch settles sessions, each once")
    cumulative = {wallet.lower(): micros for wallet, micros in before.items()}
    for each in order:
        for wallet, micros in shares(each, treasury).items():
            cumulative[wallet] = cumulative.get(wallet, 0) + micros
    payouts, tree = payout_documents.build(number, chain_id, escrow, cumulative)
    rows = [EpochResult(each.session, digest_of(each.result)) for each in order]
    document = EpochDocument(
        epoch=number,
        chain_id=chain_id,
        escrow=escrow,
        closed_ms=now_ms,
        results=rows,
        root=epochs.root_of([row.digest for row in rows]),
        payouts=EpochPayouts(payouts.root, tree.total),
    )
    return Reckoned(document, payouts)


def fit(settled: Sequence[Settled], treasury: str) -> tuple[list[Settled], list[str]]:
    """Those that can be settled, and what is wrong with each of the others: one defect must not hold up everybody's money."""
    good: list[Settled] = []
    wrong: list[str] = []
    for each in settled:
        try:
            shares(each, treasury)
        except WrongResult as error:
            wrong.append(str(error))
        else:
            good.append(each)
    return good, wrong


def claimable(
    cumulative: Mapping[str, int], claimed: Mapping[str, int], least_micros: int
) -> list[str]:
    """Who has at least so much to claim, in the order of `cumulative`; both by address in lower case."""
    return [
        wallet
        for wallet, micros in cumulative.items()
        if micros - claimed.get(wallet, 0) >= least_micros
    ]
