"""What came of a session for each seat, on one scale for all Spaces. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from spaces.space import Outcome


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What judges found of one session, as its result says."""

    ranks: tuple[int, ...]
    """By seat, 1 is best, ties are equal."""
    totals_milli: tuple[int, ...] = ()
    """By seat, 0 to 10,000; empty where nobody told them."""


class Standing(msgspec.Struct, frozen=True):
    """What a session was worth to a seat."""

    return_milli: int
    """As in `SeatRecord`."""
    score_milli: int | None = None


def return_milli(returns: Sequence[int], seat: int) -> int:
    """The share of the others that a seat beat, less the share that beat it, in thousandths: 1000 for the
    winner of two, 0 where all are equal. Symmetric: where one seat gains, others lose as much, to the
    rounding. Raises ValueError for fewer than two seats."""
    if len(returns) < 2:
        raise ValueError(f"a return compares two seats or more, got {len(returns)}")
    mine = returns[seat]
    lead = sum((mine > other) - (mine < other) for other in returns)
    return round(1_000 * lead / (len(returns) - 1))


def standings(outcome: Outcome, verdict: Verdict | None = None) -> tuple[Standing, ...] | None:
    """By seat; None where nothing came of it: it was void, or judges decide and their verdict is not known.

    The rules go before judges: a battle that was forfeited has returns, and no verdict.
    Raises ValueError for a verdict that contradicts itself.
    """
    if outcome.termination == "void":
        return None
    if outcome.returns is not None:
        return tuple(Standing(return_milli(outcome.returns, seat)) for seat in _seats(outcome))
    if verdict is None:
        return None
    totals, seats = verdict.totals_milli, range(len(verdict.ranks))
    if totals and len(totals) != len(verdict.ranks):
        raise ValueError(f"{len(totals)} totals for {len(verdict.ranks)} ranked seats")
    better = [-rank for rank in verdict.ranks]
    return tuple(
        Standing(return_milli(better, seat), totals[seat] if totals else None) for seat in seats
    )


def _seats(outcome: Outcome) -> range:
    return range(len(outcome.returns or ()))
