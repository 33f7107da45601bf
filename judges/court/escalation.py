"""Which hearing comes next, if any: after a close one, after one that failed. And whom a panel can be drawn from. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from judges.court.draw import Candidate
from judges.court.terms import FRAC_MICROS, LEAST_LOCK, LOCK_COVER, MAX_SEATS, family_cap

FRAC = 10**18
FAILURES = 2
"""Panels in a row that find nothing, after which no other is drawn."""


class Ended(msgspec.Struct, frozen=True):
    """A hearing that is over."""

    seats: int
    margin: int | None
    """Thousandths of a point; None: it failed."""


class Again(msgspec.Struct, frozen=True):
    """Another panel, drawn by a seed of its own from all who stand then: also whoever was absent, and pays for it again."""

    seats: int
    why: str


class Stands(msgspec.Struct, frozen=True):
    """The verdict of the hearing of this number is the case's, if nobody appeals."""

    hearing: int


class Void(msgspec.Struct, frozen=True):
    """There is no verdict."""

    why: str


Seatable = Callable[[int], bool]
"""Whether a panel of so many seats can be drawn for certain."""


def following(
    hearings: Sequence[Ended], margin: int, most: int, can: Seatable
) -> Again | Stands | Void:
    """After the last of these hearings, of which there is at least one. `margin`: less than this between the first and the second is
    too close; `most`: bigger panels than the first, at most."""
    last = hearings[-1]
    decided = [at for at, each in enumerate(hearings) if each.margin is not None]
    if last.margin is None:
        failures = len(hearings) - (decided[-1] + 1 if decided else 0)
        if failures < FAILURES and can(last.seats):
            return Again(last.seats, "too few judges did their part")
        if decided:
            return Stands(decided[-1])
        return Void("too few judges did their part")
    seats = min(2 * last.seats + 1, MAX_SEATS)
    escalated = len({each.seats for each in hearings}) - 1
    if last.margin < margin and escalated < most and last.seats < seats and can(seats):
        return Again(seats, "the first and the second were too close")
    return Stands(decided[-1])


def certain_seats(candidates: Sequence[Candidate], seats: int) -> int:
    """How many seats of such a panel any draw fills, whatever the chance.

    Where a draw ends, each family that has a free seat under its cap has nobody left whose operator does not sit: so all operators
    who have judges of that family alone do. Those with judges of several families may take any seat and are not counted on."""
    families: dict[str, set[str]] = {}
    for each in candidates:
        if each.weight > 0:
            families.setdefault(each.operator, set()).add(each.family)
    cap, only = (
        family_cap(seats),
        [next(iter(each)) for each in families.values() if len(each) == 1],
    )
    return sum(min(cap, only.count(family)) for family in set(only))


def seat_lock(
    pot_micros: int,
    seats: int,
    frac_micros: int = FRAC_MICROS,
    least: int = LEAST_LOCK,
    cover: int = LOCK_COVER,
) -> int:
    """FRAC (smallest unit) that each seat has to have at stake, so that a majority of the panel loses `cover` times what there is to
    win: `least` of them, or what that is at `frac_micros`, the price of one FRAC in micro-USDC that is assumed. `seats`: of the
    case's *first* panel, for all its panels: so the price of a verdict doubles with each bigger one."""
    majority = seats // 2 + 1
    return max(least, -(-cover * pot_micros * FRAC // (frac_micros * majority)))


def coverable(candidates: Sequence[Candidate], seats: int, lock: int) -> bool:
    """Whether any draw fills such a panel, and whoever is drawn has the lock at stake."""
    least = min((each.weight for each in candidates if each.weight > 0), default=0)
    return least >= lock and certain_seats(candidates, seats) >= seats
