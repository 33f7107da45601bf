"""`agon-result/1`: what came of a session, who sat where, and where its pot went. Pure.

It names what the transcript hides: the salts open its commitments. Its digest is a leaf of the epoch's root.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chain import payouts
from chain.documents import form
from chain.documents.form import Address, Cid, Count, DocumentError, Hex32, Name, Signature

VERSION = "agon-result/1"
MAX_BYTES = 1 << 18
MAX_SEATS = 64

Milli = Annotated[int, Meta(ge=-(2**53) + 1, le=2**53 - 1)]
Reason = Annotated[str, Meta(max_length=1_024)]


class ResultSeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seat: Count
    agent: Name
    version: Name
    wallet: Address | None
    """Of the agent's owner; null where no money moves on a chain."""
    salt: Hex32
    """`commit` in the transcript is SHA-256(salt || utf8(version))."""
    sig: Signature | UnsetType = UNSET
    """By the agent's own key, under the transcript: this is what it saw and played. Left out where it gave none."""


class ResultVerdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case: Cid | None
    """The court's file; null where the arena's own judge decided, and nobody can check how."""
    rubric: Name
    scores_milli: Annotated[list[list[Milli]], Meta(max_length=64)]
    """By line of the rubric, then by seat."""
    panel: Annotated[list[Name], Meta(max_length=64)]


class Payout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    to: Name
    """A ledger account: its first part is the asset, `usdc` or `play`."""
    amount: Count


class Fees(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    protocol: Count
    judges: Count
    operators: Count


class RatingAfter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Name
    mu_milli: Milli
    sigma_milli: Milli


class ResultDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal["agon-result/1"] = "agon-result/1"
    session: Name
    transcript: Cid
    space: Name
    tier_micros: Count
    """Entry fee of each seat in micro-USDC; 0: the free tier, which plays for play money."""
    seats: Annotated[list[ResultSeat], Meta(min_length=1, max_length=MAX_SEATS)]
    verdict: ResultVerdict | None
    ranks: Annotated[list[Count], Meta(max_length=MAX_SEATS)]
    """By seat, 1 is best, ties are equal (1, 1, 3); empty when void."""
    status: Literal["settled", "void"]
    reason: Reason | None
    payouts_micros: Annotated[list[Payout], Meta(max_length=MAX_SEATS)]
    """In seat order; seats that get nothing are left out."""
    fees_micros: Fees
    ratings: Annotated[list[RatingAfter], Meta(max_length=MAX_SEATS)]
    """After the session, of the versions that it moved."""
    sig: Signature | UnsetType = UNSET


def read(document: bytes) -> ResultDocument:
    """A result from its stored bytes, which may come from anybody: its form, and that it does not contradict
    itself. Raises DocumentError."""
    result = form.read(document, ResultDocument, version=VERSION, max_bytes=MAX_BYTES)
    check(result)
    return result


def check(result: ResultDocument) -> None:
    """Whatever can be said against a result by itself. Raises DocumentError."""
    count = len(result.seats)
    if [each.seat for each in result.seats] != list(range(count)):
        raise DocumentError(f"seats are not 0 to {count - 1} in order")
    if result.status == "void":
        if result.ranks or result.verdict is not None or result.ratings:
            raise DocumentError("void, and yet somebody is ranked, judged or rated")
        if result.reason is None:
            raise DocumentError("void without a reason")
        return
    expected = [1 + sum(other < rank for other in result.ranks) for rank in result.ranks]
    if len(result.ranks) != count or result.ranks != expected:
        raise DocumentError(f"{result.ranks} are no competition ranks of {count} seats")
    for line in () if result.verdict is None else result.verdict.scores_milli:
        if len(line) != count:
            raise DocumentError(f"a line of the verdict scores {len(line)} of {count} seats")


def pot_of(result: ResultDocument) -> int:
    """Micros of pay-outs and fees together."""
    fees = result.fees_micros
    paid = sum(each.amount for each in result.payouts_micros)
    return paid + fees.protocol + fees.judges + fees.operators


def check_money(result: ResultDocument, entry_micros: int) -> None:
    """Pay-outs and fees must be those of the table (`payouts.split`) for a pot of one entry a seat; nothing at all may be at stake
    in the free tier alone. Raises DocumentError."""
    pot, count = pot_of(result), len(result.seats)
    if pot == 0 and result.tier_micros == 0:
        return
    if pot != entry_micros * count:
        raise DocumentError(
            f"pay-outs and fees add up to {pot} micros, {count} entries of {entry_micros} are"
            f" {entry_micros * count}"
        )
    entries = [entry_micros] * count
    split = (
        payouts.refund(entries) if result.status == "void" else payouts.split(entries, result.ranks)
    )
    _check_paid(result, split.payouts)
    fees = result.fees_micros
    if (fees.protocol, fees.judges, fees.operators) != (
        split.fees.protocol,
        split.fees.judges,
        split.fees.operators,
    ):
        raise DocumentError(f"the fees of this pot are {msgspec.to_builtins(split.fees)}")


def _check_paid(result: ResultDocument, due: Sequence[int]) -> None:
    asset = "usdc" if result.tier_micros else "play"
    owed = [
        Payout(f"{asset}:agent:{each.agent}", amount)
        for each, amount in zip(result.seats, due, strict=True)
        if amount
    ]
    if result.payouts_micros != owed:
        seats = ", ".join(f"{amount} to seat {seat}" for seat, amount in enumerate(due) if amount)
        raise DocumentError(f"by its ranks and the table the pot pays {seats}")
