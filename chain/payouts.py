"""Who gets how much of a pot. Pure, exact, and the same for everybody.

Two seats: the winner takes the pot less the fee. Three and more: 50/30/20 of the pot less the fee. Tied seats
share the places that they span. When all seats tie nobody has won: every entry goes back and no fee is
taken; so it is when a session is void. What a division leaves over, a few micros, goes to the seats that
were divided among, the best first and in the order of seats, so pay-outs and fees always add up to the pot.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec

FEE = Fraction(5, 100)
"""Of the pot."""
JUDGES_SHARE = Fraction(2, 5)
"""Of the fee: two of its five points."""
OPERATORS_SHARE = Fraction(1, 5)
"""Of the fee: one of its five points."""


class Fees(msgspec.Struct, frozen=True):
    """Micros, by who gets them."""

    protocol: int = 0
    judges: int = 0
    operators: int = 0

    @property
    def total(self) -> int:
        return self.protocol + self.judges + self.operators


class Split(msgspec.Struct, frozen=True):
    """What becomes of a pot."""

    payouts: tuple[int, ...]
    """Micros by seat."""
    fees: Fees
    refunded: bool
    """Every entry went back: a full tie, or void."""


def places(seats: int) -> tuple[Fraction, ...]:
    """The shares of the pot less the fee, by place from the first. Raises ValueError below two seats."""
    if seats < 2:
        raise ValueError(f"a pot is shared by two seats or more, got {seats}")
    paid = [Fraction(1)] if seats == 2 else [Fraction(5, 10), Fraction(3, 10), Fraction(2, 10)]
    return tuple(paid + [Fraction(0)] * (seats - len(paid)))


def refund(entries: Sequence[int]) -> Split:
    """Every entry goes back whole."""
    return Split(tuple(entries), Fees(), refunded=True)


def split(entries: Sequence[int], ranks: Sequence[int]) -> Split:
    """A pot of `entries` (micros by seat) by competition ranks: 1 is best, ties are equal (1, 1, 3).

    Raises ValueError for ranks that are none.
    """
    _check(entries, ranks)
    if len(set(ranks)) == 1:
        return refund(entries)
    pot = sum(entries)
    fees = fees_of(pot)
    net = pot - fees.total
    shares = places(len(entries))
    exact = [
        net * sum(shares[rank - 1 : rank - 1 + ranks.count(rank)], Fraction(0)) / ranks.count(rank)
        for rank in ranks
    ]
    payouts = [int(share) for share in exact]
    divided = [seat for seat in _best_first(ranks) if exact[seat] != payouts[seat]]
    for seat in divided[: net - sum(payouts)]:
        payouts[seat] += 1
    return Split(tuple(payouts), fees, refunded=False)


def fees_of(pot: int) -> Fees:
    """The fee of a pot that somebody wins, rounded down, and its parts."""
    total = int(pot * FEE)
    judges, operators = int(total * JUDGES_SHARE), int(total * OPERATORS_SHARE)
    return Fees(protocol=total - judges - operators, judges=judges, operators=operators)


def _best_first(ranks: Sequence[int]) -> list[int]:
    return sorted(range(len(ranks)), key=lambda seat: (ranks[seat], seat))


def _check(entries: Sequence[int], ranks: Sequence[int]) -> None:
    if len(entries) != len(ranks):
        raise ValueError(f"{len(ranks)} ranks for {len(entries)} entries")
    expected = [1 + sum(other < rank for other in ranks) for rank in ranks]
    if list(ranks) != expected:
        raise ValueError(f"{list(ranks)} are no competition ranks")
