"""What came of sessions, as it is published: all that boards, leagues, ratings and rates follow from. Pure.

An owner is told by number and within the session alone: seats of one account share a number, and nobody learns
which agents an account has besides. That is what `ratings.unrated` needs to be computed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from server import ratings
from server.identity import HOUSE_OWNER

HOUSE = -1
"""The number of the operator's own account."""


class Move(msgspec.Struct, frozen=True):
    """How a session moved a version's live rating and league."""

    number: int
    """Which of the version's rated sessions in the Space it is, from 1 on."""
    was_mu_milli: int
    was_sigma_milli: int
    mu_milli: int
    sigma_milli: int
    was_division: int | None
    """Null for who had no league."""
    division: int


class SeatOutcome(msgspec.Struct, frozen=True, kw_only=True):
    seat: int
    agent: str
    version: str
    name: str
    owner: int
    """Seats of one account share it; HOUSE is the operator's."""
    rank: int | None
    """Competition rank, null when void."""
    score_milli: int | None
    entry_micros: int
    """What was paid for the seat; 0 in a tournament."""
    won_micros: int
    """A refund included."""
    move: Move | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One session; times in unix milliseconds, amounts in micros of `asset`."""

    session: str
    space: str
    rules: str
    tier_micros: int
    asset: str
    status: str
    """`settled` or `void`."""
    reason: str | None
    """Why it is void."""
    season: int
    opened_ms: int
    sealed_ms: int
    settled_ms: int
    digest: str
    """The transcript's, hex."""
    rated: bool | None
    """Whether it moved the live ratings; null while the step `rate` is to come."""
    seats: tuple[SeatOutcome, ...]

    @property
    def ranks(self) -> tuple[int, ...] | None:
        """By seat; None when void."""
        ranks = tuple(seat.rank for seat in self.seats if seat.rank is not None)
        return ranks if len(ranks) == len(self.seats) else None


def numbered(owners: Sequence[str]) -> tuple[int, ...]:
    """Accounts by seat as numbers: the first seat that the account has, HOUSE for the house."""
    return tuple(HOUSE if owner == HOUSE_OWNER else list(owners).index(owner) for owner in owners)


def not_counted(outcome: Outcome) -> str:
    """Why the session counts for no rating and no board, as anyone can compute it; empty where it does."""
    if outcome.ranks is None:
        return f"void: {outcome.reason or ''}".rstrip(": ")
    if len(outcome.seats) < 2:
        return "it had one seat"
    return ratings.unrated(
        [seat.version for seat in outcome.seats],
        [HOUSE_OWNER if seat.owner == HOUSE else f"#{seat.owner}" for seat in outcome.seats],
    )


def counted(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Those that count, oldest first; an order that everybody arrives at."""
    return sorted(
        (each for each in outcomes if not not_counted(each)),
        key=lambda each: (each.settled_ms, each.session),
    )
