"""What has come of an agent's sessions, added up: the numbers of its dashboard. Pure.

Shares and rates are in thousandths, so that they are exact in JSON. A win is the sole first place, a
draw a shared first place, anything else a loss, with any number of seats. Void sessions are counted as
such and nowhere else: their entries went back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt

import msgspec

Z_95 = 1.959964
"""The normal quantile of a two-sided interval of 95 %."""


class Tally(msgspec.Struct, frozen=True):
    """Sums over sessions. Money in micros of one asset, entries and winnings of settled sessions only."""

    wins: int = 0
    draws: int = 0
    losses: int = 0
    voids: int = 0
    score_milli: int = 0
    """The sum of the scores of the sessions in `scored`."""
    scored: int = 0
    paid_micros: int = 0
    won_micros: int = 0

    @property
    def settled(self) -> int:
        return self.wins + self.draws + self.losses

    def __add__(self, other: Tally) -> Tally:
        mine, theirs = msgspec.structs.astuple(self), msgspec.structs.astuple(other)
        return Tally(*(a + b for a, b in zip(mine, theirs, strict=True)))


def total(tallies: Iterable[Tally]) -> Tally:
    return sum(tallies, Tally())


def of_seat(
    ranks: Sequence[int] | None, seat: int, score_milli: int | None, paid: int, won: int
) -> Tally:
    """The tally of one seat of one session; `ranks` by seat, None when it is void."""
    if ranks is None:
        return Tally(voids=1)
    first = ranks[seat] == 1
    alone = list(ranks).count(1) == 1
    return Tally(
        wins=int(first and alone),
        draws=int(first and not alone),
        losses=int(not first),
        score_milli=score_milli or 0,
        scored=int(score_milli is not None),
        paid_micros=paid,
        won_micros=won,
    )


class Part(msgspec.Struct, frozen=True):
    """What an agent's version has done in one Space for one asset."""

    space: str
    version: str
    asset: str
    tally: Tally


class WinRate(msgspec.Struct, frozen=True):
    """In thousandths, with the interval that holds the true rate in 95 of 100 cases."""

    milli: int
    low_milli: int
    high_milli: int


def win_rate(tally: Tally) -> WinRate | None:
    """Wins out of settled sessions, with Wilson's interval (E. B. Wilson, JASA 22, 1927); None of none.

    The interval takes the sessions to be alike and independent. Those of an agent that learns are not.
    """
    n = tally.settled
    if n == 0:
        return None
    share, z2 = tally.wins / n, Z_95 * Z_95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return WinRate(round(1_000 * share), round(1_000 * low), round(1_000 * high))


def average_milli(tally: Tally) -> int | None:
    """The average score; None where nothing was scored."""
    return None if tally.scored == 0 else round(tally.score_milli / tally.scored)


def roi_milli(tally: Tally) -> int | None:
    """(won - paid) / paid; None where nothing was paid."""
    if tally.paid_micros == 0:
        return None
    return round(1_000 * (tally.won_micros - tally.paid_micros) / tally.paid_micros)


class Bucket(msgspec.Struct, frozen=True):
    """A span of an agent's time."""

    at_ms: int
    """When it began, unix ms."""
    tally: Tally
    last: str
    """The newest session that was settled in it."""
