"""What a share of the stake is worth to who also plays: how often its contestant wins, and what its judges lose by it."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np

from judges.court.terms import BPS, LOCK_COVER, MARGIN_MILLI, panel_seats
from judges.simulate.flips import TIE_MILLI, bought
from judges.simulate.many import Reckonings, reckon_many
from judges.simulate.price import FEES_BPS
from judges.simulate.world import RAP, Cases, Chance, Floats, World, question
from judges.simulate.world import cases as draw_cases

Way = Literal["openly", "by stealth"]


class Tilt(msgspec.Struct, frozen=True):
    """Over all sessions, close and clear, of two contestants; one is the cartel's. Half of them is its own without it."""

    share: float
    way: Way
    first: float
    """Sessions that it wins (a draw is half of one) by the first panel and, where that is close, the next one."""
    last: float
    """If whoever loses appeals up to the biggest."""
    lost: float
    """Locks of its outliers in all panels that `first` takes, in pots."""
    worth: float
    """What each session is worth more, in pots, nobody appealing."""


def tilts(chance: Chance, shares: tuple[float, ...], count: int) -> list[Tilt]:
    ways: tuple[Way, ...] = ("openly", "by stealth")
    return [_tilt(RAP, chance, share, way, count) for way in ways for share in shares]


def _tilt(world: World, chance: Chance, share: float, way: Way, count: int) -> Tilt:
    of = draw_cases(world, chance, count)
    panels, slashed = zip(
        *(_panel(world, chance, of, share, way, appeals) for appeals in range(3)), strict=True
    )
    close = panels[0].margins < MARGIN_MILLI
    first = np.where(close, _won(panels[1]), _won(panels[0])).mean()
    lost = float((slashed[0] + close * slashed[1]).mean())
    gain = (float(first) - 0.5) * (BPS - FEES_BPS) / BPS
    return Tilt(share, way, float(first), float(_won(panels[2]).mean()), lost, gain - lost)


def _panel(
    world: World, chance: Chance, of: Cases, share: float, way: Way, appeals: int
) -> tuple[Reckonings, Floats]:
    """And the locks that the cartel loses, in pots, by case."""
    theirs = chance.random((len(of), panel_seats(True, appeals))) < share
    sheets = bought(world, chance, of, theirs, stealth=way == "by stealth")
    found = reckon_many(question(world, 0, 0, appeals), sheets)
    lock = LOCK_COVER / (panel_seats(True, 0) // 2 + 1)
    return found, (found.slashes_bps * theirs).sum(axis=1) / BPS * lock


def _won(found: Reckonings) -> Floats:
    drawn = found.margins < TIE_MILLI
    return np.where(drawn, 0.5, found.winners == 1).astype(np.float64)
