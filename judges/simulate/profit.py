"""What each way of judging earns and loses on a panel of honest judges: pay, slashes, costs; and what sticks of it, since pay is
the highest that the sum has ever been."""

from __future__ import annotations

import msgspec
import numpy as np

from judges.court.escalation import FRAC, seat_lock
from judges.court.rolling import Heard, rolling_slash, rows_below
from judges.court.terms import BPS, FRAC_MICROS, MIN_STAKE, PPM, panel_seats
from judges.simulate.many import Reckonings, reckon_many
from judges.simulate.price import ENTRIES_MICROS, JUDGES_BPS
from judges.simulate.strategies import STRATEGIES, Scene, Strategy
from judges.simulate.world import RAP, Chance, Floats, World, honest, question
from judges.simulate.world import cases as draw_cases

CAREER = 100
"""Hearings of one judge."""
EPOCH = 5
"""Hearings of one judge in an epoch: what it may claim is reckoned at its end."""


class Profit(msgspec.Struct, frozen=True):
    """Means by hearing. Money: micro-USDC at one tier of two contestants."""

    strategy: str
    does: str
    honest: bool
    possible: bool
    skill: float
    """One: the panel's median, where the prior is as far off as usual."""
    negative: float
    """Hearings with a skill below 0."""
    pay: float
    """What can be claimed in the end, by hearing."""
    raw: float
    """The sum of all pays: what would be paid if debts could be collected."""
    cost: float
    slashed: float
    """Locks and stake, at FRAC_MICROS."""
    profit: float
    low: float
    high: float
    """Of the profit: 95 %, over careers."""


def profits(chance: Chance, careers: int, entry: int, world: World = RAP) -> list[Profit]:
    return [profit(chance, each, careers, entry, world) for each in STRATEGIES]


def by_tier(chance: Chance, careers: int, world: World = RAP) -> dict[str, list[float]]:
    """Strategy -> profit at each tier that is paid, the cheapest first."""
    return {
        each.name: [
            profit(chance, each, careers, entry, world).profit for entry in ENTRIES_MICROS[1:]
        ]
        for each in STRATEGIES
        if each.possible
    }


def profit(
    chance: Chance, strategy: Strategy, careers: int, entry: int, world: World = RAP
) -> Profit:
    pot = entry * world.contestants
    lock = seat_lock(pot, panel_seats(paid=True, appeals=0))
    found = alone(chance, strategy, careers * CAREER, world, fee=pot * JUDGES_BPS // BPS)
    pays = found.pays[:, 0].reshape(careers, CAREER)
    skills = found.skills[:, 0].reshape(careers, CAREER)
    outliers = found.slashes_bps[:, 0].reshape(careers, CAREER)
    lost = outliers.sum(axis=1) / BPS * _micros(lock) + _rolled(skills)
    claimed = _claimed(pays)
    each = (claimed - lost) / CAREER - strategy.cost
    half = 1.96 * each.std(ddof=1) / np.sqrt(careers)
    return Profit(
        strategy.name,
        strategy.does,
        strategy.honest,
        strategy.possible,
        float(skills.mean()) / PPM,
        float((skills < 0).mean()),
        float(claimed.mean()) / CAREER,
        float(pays.mean()),
        strategy.cost,
        float(lost.mean()) / CAREER,
        float(each.mean()),
        float(each.mean() - half),
        float(each.mean() + half),
    )


def alone(
    chance: Chance, strategy: Strategy, cases: int, world: World = RAP, fee: int = 0
) -> Reckonings:
    """The strategy on the first seat, honest judges on all others."""
    of = draw_cases(world, chance, cases)
    seats = panel_seats(paid=True, appeals=0)
    others = honest(world, chance, of, seats - 1)
    own = strategy.sheets(Scene(world, of, others), chance)
    return reckon_many(question(world, fee, 0), np.concatenate([own[:, None], others], axis=1))


def _claimed(pays: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Floats:
    """By career: `judges.court.earnings`, epoch by epoch."""
    at_ends = pays.cumsum(axis=1)[:, EPOCH - 1 :: EPOCH]
    return np.asarray(np.maximum(at_ends.max(axis=1), 0), np.float64)


def _rolled(skills: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Floats:
    """By career: what its worst rows cost, of a stake that shrinks by it."""
    lost = []
    for career in skills:
        history = [Heard(at, int(skill)) for at, skill in enumerate(career)]
        stake = MIN_STAKE
        for row in rows_below(history):
            stake -= rolling_slash(row, stake, row[0].ordinal)
        lost.append(_micros(MIN_STAKE - stake))
    return np.asarray(lost)


def _micros(frac: int) -> float:
    return frac * FRAC_MICROS / FRAC


CAPITAL_PPM = 50_000
"""A year's yield elsewhere of what is staked."""
BOUND_DAYS = 21
"""Least time that a judge's stake is bound: unbonding."""


class Luck(msgspec.Struct, frozen=True):
    """What sticks of luck in a whole career: a judge without skill earns while it is ahead, owes when it is not, and may leave."""

    strategy: str
    hearings: float
    """What it claims in all, in pays of an honest judge by hearing."""
    halfway: float
    """After half of the career: what comes later is hardly anything."""
    claimed: float
    """Micro-USDC in all, if every case were of the dearest tier."""
    capital: float
    """Micro-USDC that MIN_STAKE would have earned elsewhere while it was bound for the shortest time."""


def lucks(chance: Chance, careers: int, world: World = RAP) -> list[Luck]:
    fee = ENTRIES_MICROS[-1] * world.contestants * JUDGES_BPS // BPS
    unit = float(alone(chance, STRATEGIES[0], 4_000, world, fee).pays[:, 0].mean())
    capital = _micros(MIN_STAKE) * CAPITAL_PPM / PPM * BOUND_DAYS / 365
    found: list[Luck] = []
    for strategy in STRATEGIES:
        if strategy.honest or not strategy.possible:
            continue
        pays = alone(chance, strategy, careers * CAREER, world, fee).pays[:, 0]
        pays = pays.reshape(careers, CAREER)
        whole = float(_claimed(pays).mean())
        half = float(_claimed(pays[:, : CAREER // 2]).mean())
        found.append(Luck(strategy.name, whole / unit, half / unit, whole, capital))
    return found
