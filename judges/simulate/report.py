"""All experiments in one run, by one seed: what is printed, drawn and tested."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from judges.court.terms import TERMS, Terms
from judges.simulate.capture import Capture, captures
from judges.simulate.falsely import FalseSlashes, false_slashes
from judges.simulate.flips import Course, Flip, courses, flips
from judges.simulate.liveness import Liveness, liveness
from judges.simulate.margin import Delta, deltas
from judges.simulate.price import Attempt, Bribe, Price, attempts, bribes, prices
from judges.simulate.profit import Luck, Profit, by_tier, lucks, profits
from judges.simulate.retention import Retention, break_even, retentions
from judges.simulate.tilt import Tilt, tilts
from judges.simulate.world import RAP, WORLDS, World


class Effort(msgspec.Struct, frozen=True):
    """How much of everything: errors shrink with the root of it."""

    draws: int = 1_500
    cases: int = 6_000
    careers: int = 300
    hearings: int = 400
    false_cases: int = 20_000
    grid: int = 1_500


FULL = Effort()
QUICK = Effort(draws=80, cases=600, careers=24, hearings=40, false_cases=2_000, grid=200)

SHARES = (0.1, 0.2, 0.3, 0.4)
PANELS = (5, 7, 15, 31)
GAPS = (500, 1_000, 2_000)
MARGINS = (0, 250, 500, 625, 750, 1_000)
ABSENCES = (0.05, 0.1, 0.2, 0.3, 0.4)
CARTELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
NOISES = (0.5, 0.75, 1.0, 1.25, 1.5)
ENTRY = 1_000_000
"""The tier at which profits are told in full."""


class Report(msgspec.Struct, frozen=True):
    seed: int
    world: World
    terms: Terms
    captures: list[Capture]
    flips: list[Flip]
    courses: list[Course]
    tilts: list[Tilt]
    deltas: list[Delta]
    prices: list[Price]
    attempts: list[Attempt]
    bribes: list[Bribe]
    profits: list[Profit]
    by_tier: dict[str, list[float]]
    lucks: list[Luck]
    false_slashes: list[FalseSlashes]
    liveness: list[Liveness]
    retention: list[Retention]
    break_even: dict[float, float]


EXPERIMENTS = ("retention", "capture", "flips", "courses", "tilt", "margin", "profit", "fee tiers", "luck", "false slashes", "absence")  # fmt: skip
Told = Callable[[str], None]


def run(seed: int, effort: Effort = FULL, told: Told = lambda _: None) -> Report:
    """`told` hears of each experiment as it begins. Each has a stream of its own, so that more of one changes no other."""
    spawned = np.random.SeedSequence(seed).spawn(len(EXPERIMENTS))
    chances = dict(zip(EXPERIMENTS, map(np.random.default_rng, spawned), strict=True))

    def chance(name: str) -> np.random.Generator:
        told(name)
        return chances[name]

    grid = retentions(chance("retention"), CARTELS, NOISES, effort.grid)
    return Report(
        seed=seed,
        world=RAP,
        terms=TERMS,
        captures=captures(chance("capture"), SHARES, PANELS, effort.draws),
        flips=flips(chance("flips"), GAPS, (0, 1, 2, 3, 4), effort.cases),
        courses=courses(chance("courses"), SHARES, GAPS, effort.cases),
        tilts=tilts(chance("tilt"), SHARES, effort.cases),
        deltas=deltas(chance("margin"), WORLDS, MARGINS, effort.cases),
        prices=prices(),
        attempts=attempts(SHARES, (0.1, 0.35, 0.5, 0.9)),
        bribes=bribes(),
        profits=profits(chance("profit"), effort.careers, ENTRY),
        by_tier=by_tier(chance("fee tiers"), effort.careers // 2),
        lucks=lucks(chance("luck"), effort.careers),
        false_slashes=false_slashes(chance("false slashes"), effort.false_cases),
        liveness=liveness(chance("absence"), ABSENCES, (5, 7, 15), effort.hearings),
        retention=grid,
        break_even=break_even(grid),
    )
