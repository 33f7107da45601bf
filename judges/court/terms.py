"""The court's numbers. Why they are what they are: `docs/decisions/0008-the-courts-numbers.md`."""

from __future__ import annotations

import msgspec

PPM = 1_000_000
"""One, where a number is in millionths."""
BPS = 10_000
"""One, where a number is in ten-thousandths."""
TOP_MILLI = 10_000
"""The best score; the least is 0."""
MAX_LINES = 8
"""Of a rubric."""
MAX_CONTESTANTS = 8
MAX_SEATS = 31
"""Of a panel."""
WINDOW = 20
"""Hearings of one judge that its rolling skill is the mean of."""

ESCALATIONS = 1
"""Bigger panels that a close margin calls by itself; from there on it takes an appeal."""
MARGIN_MILLI = 625
"""Margins below this are close (`Filing.margin`): on both rubrics."""
LOCK_COVER = 2
"""A first panel's majority has so many times the pot at stake."""
FRAC_MICROS = 20_000
"""The price of one FRAC, in micro-USDC, that locks are reckoned with where the arena's owner has named no other."""
LEAST_LOCK = 50 * 10**18
"""FRAC, of a seat where nothing is paid."""
MIN_STAKE = 10_000 * 10**18
"""FRAC that a judge must have bonded to be drawn: three locks of the dearest session (25 USDC, five contestants)."""


class Terms(msgspec.Struct, frozen=True):
    """What cannot be changed once a court is deployed."""

    skill_floor: int = -5 * PPM
    """Least skill of one hearing, in millionths."""
    skill_top: int = 1_500_000
    """Most skill of one hearing."""
    outlier_milli: int = 3_500
    """A judge that is nowhere near: root mean square distance from the reference, thousandths of a point."""
    outlier_spread: int = 3
    """And so many times as far as the panel's median judge."""
    no_commit_bps: int = 2_000
    """Of a seat's lock, for a judge that was drawn and did not commit."""
    no_reveal_bps: int = BPS
    """Of a seat's lock, for one that committed and did not reveal: never less than any wrong score costs, or hiding would pay."""
    rolling_floor: int = -PPM
    """Mean skill of WINDOW hearings in a row, in millionths, below which stake is lost: twice as far off as the prior. Honest judges of
    contestants who are hardly apart fall below 0, and near this never."""
    rolling_bps: int = 500
    """Of a judge's whole stake, for that."""
    overturned_bps: int = BPS
    """Of a seat's lock, where it clearly gave the session to a winner that a bigger panel clearly took down (`overturn.py`)."""


TERMS = Terms()


def panel_seats(paid: bool, appeals: int) -> int:
    """Seats of a panel: 5 where nothing is at stake, else 7; after each appeal or escalation 2k + 1, at most MAX_SEATS."""
    seats = 7 if paid else 5
    for _ in range(appeals):
        seats = 2 * seats + 1
    return min(seats, MAX_SEATS)


def family_cap(seats: int) -> int:
    """Seats of one model family: floor(k / 3), at least one."""
    return max(1, seats // 3)


def reserves(seats: int) -> int:
    """Judges drawn besides, in whose turn it is to sit where somebody does not commit: ceil(k / 3)."""
    return -(-seats // 3)


def quorum(seats: int) -> int:
    """Reveals without which a panel has found nothing: k - ceil(k / 3), more than half."""
    return seats - reserves(seats)
