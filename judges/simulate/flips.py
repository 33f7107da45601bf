"""How often the wrong side wins: against so many seats that want it to, by the gap, and by what comes after a first panel."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from judges.court.terms import MARGIN_MILLI, panel_seats
from judges.rubric import RAP_BATTLE
from judges.simulate.many import Reckonings, reckon_many
from judges.simulate.strategies import favour, lean
from judges.simulate.world import (
    RAP,
    Cases,
    Chance,
    Ints,
    World,
    honest,
    question,
    seen,
)
from judges.simulate.world import cases as draw_cases

TIE_MILLI = RAP_BATTLE.tie_milli
"""Totals that are less apart are a draw."""

Mask = NDArray[np.bool_]


class Flip(msgspec.Struct, frozen=True):
    """Of a first panel of seven."""

    gap: int
    """By how much the better one is better, in truth; thousandths of a point."""
    colluders: int
    open: float
    """The worse one wins; the colluders say 10 and 0."""
    stealth: float
    """The same, if they are honest but for a push of a point up and one down."""
    told: float
    """The worse one wins by stealth, and the margin is not close: what no escalation looks at."""


class Course(msgspec.Struct, frozen=True):
    """Of whole cases: each panel has as many colluders as a share of the stake draws, and they collude openly."""

    share: float
    gap: int
    first: float
    """The worse one wins the first panel."""
    escalated: float
    """And after the bigger one that a close margin calls."""
    appealed: float
    """And after one more, if whoever lost appeals."""
    last: float
    """And after the biggest, if it appeals again."""


def flips(
    chance: Chance, gaps: tuple[int, ...], colluders: tuple[int, ...], count: int
) -> list[Flip]:
    return [_flip(RAP, chance, gap, held, count) for gap in gaps for held in colluders]


def _flip(world: World, chance: Chance, gap: int, held: int, count: int) -> Flip:
    of = draw_cases(world, chance, count, gap)
    mask = np.broadcast_to(np.arange(panel_seats(True, 0)) < held, (count, panel_seats(True, 0)))
    openly = panel(world, chance, of, 0, mask, stealth=False)
    quietly = panel(world, chance, of, 0, mask, stealth=True)
    told = lost(quietly) & (quietly.margins >= MARGIN_MILLI)
    return Flip(
        gap,
        held,
        float(lost(openly).mean()),
        float(lost(quietly).mean()),
        float(told.mean()),
    )


def courses(
    chance: Chance, shares: tuple[float, ...], gaps: tuple[int, ...], count: int
) -> list[Course]:
    return [_course(RAP, chance, share, gap, count) for share in shares for gap in gaps]


def _course(world: World, chance: Chance, share: float, gap: int, count: int) -> Course:
    of = draw_cases(world, chance, count, gap)
    panels = []
    for appeals in range(3):
        drawn = chance.random((count, panel_seats(True, appeals))) < share
        panels.append(panel(world, chance, of, appeals, drawn, stealth=False))
    fell = [lost(each) for each in panels]
    close = panels[0].margins < MARGIN_MILLI
    escalated = np.where(close, fell[1], fell[0])
    heard = np.where(close, fell[2], fell[1])  # one panel more than without the appeal
    appealed = escalated & heard
    return Course(
        share,
        gap,
        float(fell[0].mean()),
        float(escalated.mean()),
        float(appealed.mean()),
        float((appealed & fell[2]).mean()),
    )


def panel(
    world: World, chance: Chance, of: Cases, appeals: int, mask: Mask, *, stealth: bool
) -> Reckonings:
    sheets = bought(world, chance, of, mask, stealth=stealth)
    return reckon_many(question(world, 0, 0, appeals), sheets)


def bought(world: World, chance: Chance, of: Cases, mask: Mask, *, stealth: bool) -> Ints:
    """(cases, seats, size): honest sheets, and for the second contestant where `mask` (cases, seats) says so."""
    seats = mask.shape[1]
    sheets = honest(world, chance, of, seats)
    if stealth:
        theirs = lean(world, seen(world, chance, of, seats), 1_000)
    else:
        theirs = favour(world, sheets.shape)
    return np.where(mask[:, :, None], theirs, sheets)


def lost(found: Reckonings) -> Mask:
    return np.asarray((found.winners == 1) & (found.margins >= TIE_MILLI))
