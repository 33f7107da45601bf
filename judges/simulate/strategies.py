"""How judges fill in their sheets, the honest ones and those who would rather not. What each costs is a part of it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from judges.court.terms import TOP_MILLI
from judges.simulate.world import Cases, Chance, Floats, Ints, World, said, seen

MODEL_COST = 100
"""Micro-USDC for one case judged by a model: 4,000 tokens at 0.025 USDC a million, what an 8B model costs to run."""
CHEAP_COST = 5
"""By instruments alone."""


class Scene(msgspec.Struct, frozen=True):
    """What a judge's strategy may look at. `others` is what the six other judges will say: only who copies looks there."""

    world: World
    cases: Cases
    others: Ints
    """(cases, seats, size)"""


Sheets = Callable[[Scene, Chance], Ints]


class Strategy(msgspec.Struct, frozen=True):
    name: str
    does: str
    sheets: Sheets
    """(cases, size)"""
    cost: int = MODEL_COST
    honest: bool = False
    possible: bool = True
    """False: only without commit and reveal; shown to say what those are for."""


def _honest(scene: Scene, chance: Chance) -> Ints:
    return said(scene.world, seen(scene.world, chance, scene.cases, 1)[:, 0])


def _noisy(times: float) -> Sheets:
    def sheets(scene: Scene, chance: Chance) -> Ints:
        return said(scene.world, seen(scene.world, chance, scene.cases, 1, times)[:, 0])

    return sheets


def _calibrated(scene: Scene, chance: Chance) -> Ints:
    """Moves what it sees toward the prior by as much as it errs."""
    world = scene.world
    signal, error = world.spread**2, world.noise**2 + world.family**2 + world.leniency**2
    trust = (signal + world.bias**2) / (signal + world.bias**2 + error)
    saw = seen(world, chance, scene.cases, 1)[:, 0]
    moved: Floats = np.rint(world.prior + trust * (saw - world.prior))
    return np.clip(moved, 0, TOP_MILLI).astype(np.int64)


def _lazy(scene: Scene, chance: Chance) -> Ints:
    return np.full(scene.cases.truth.shape, scene.world.prior, np.int64)


def _jittered(scene: Scene, chance: Chance) -> Ints:
    """The prior and a little chance: looks alive, and its pay is a random walk."""
    return said(scene.world, scene.world.prior + chance.normal(0, 500, scene.cases.truth.shape))


def _gambler(scene: Scene, chance: Chance) -> Ints:
    """The prior, half a point up for one contestant and down for the other, by a coin: the most luck for the least loss."""
    world = scene.world
    side = chance.permuted(
        np.tile(np.linspace(-1, 1, world.contestants), (len(scene.cases), 1)), axis=1
    )
    pushed: Floats = world.prior + 500 * np.tile(side, len(world.weights))
    return said(world, pushed)


def _heuristic(scene: Scene, chance: Chance) -> Ints:
    """Half correlated with the truth, and knows it: shrinks to the prior."""
    world = scene.world
    z = (scene.cases.truth - world.prior) / world.spread
    signal = 0.5 * z + np.sqrt(0.75) * chance.normal(0, 1, z.shape)
    best: Floats = np.rint(world.prior + 0.5 * world.spread * signal)
    return np.clip(best, 0, TOP_MILLI).astype(np.int64)


def _copier(scene: Scene, chance: Chance) -> Ints:
    ordered = np.sort(scene.others, axis=1)
    return np.asarray(ordered[:, (ordered.shape[1] - 1) // 2])


def _stale(scene: Scene, chance: Chance) -> Ints:
    """Copies, but all it can see is the verdict of the case before."""
    return np.roll(_copier(scene, chance), 1, axis=0)


def _random(scene: Scene, chance: Chance) -> Ints:
    return chance.integers(0, TOP_MILLI + 1, scene.cases.truth.shape)


def favour(world: World, shape: tuple[int, ...], winner: int = 1) -> Ints:
    """The most for one contestant, nothing for the others."""
    sheet = np.zeros((len(world.weights), world.contestants), np.int64)
    sheet[:, winner] = TOP_MILLI
    return np.broadcast_to(sheet.reshape(-1), shape)


def _colluding(scene: Scene, chance: Chance) -> Ints:
    return favour(scene.world, scene.cases.truth.shape)


def lean(world: World, sheets: Floats, points: float, winner: int = 1) -> Ints:
    """Honest sheets, moved by so many thousandths of a point: up for one contestant, down for the others."""
    push = np.full((len(world.weights), world.contestants), -points)
    push[:, winner] = points
    return said(world, sheets + push.reshape(-1))


def _stealth(scene: Scene, chance: Chance) -> Ints:
    return lean(scene.world, seen(scene.world, chance, scene.cases, 1)[:, 0], 1_000)


STRATEGIES = (
    Strategy("honest", "judges, and says what it finds", _honest, honest=True),
    Strategy(
        "calibrated", "the same, moved to the prior by as much as it errs", _calibrated, honest=True
    ),
    Strategy("lazy", "says the prior", _lazy, cost=0),
    Strategy("jittered", "says the prior and a little chance", _jittered, cost=0),
    Strategy(
        "gambler", "says the prior, and half a point for one side by a coin", _gambler, cost=0
    ),
    Strategy("heuristic", "half correlated, by instruments alone", _heuristic, cost=CHEAP_COST),
    Strategy(
        "copier", "without commit-reveal: says the others' median", _copier, 0, possible=False
    ),
    Strategy("stale copier", "with commit-reveal: says the last case's verdict", _stale, cost=0),
    Strategy("noisy x2", "errs twice as much", _noisy(2)),
    Strategy("noisy x3", "errs three times as much", _noisy(3)),
    Strategy("random", "any scores", _random, cost=0),
    Strategy("colluding", "10 for its side, 0 for the other", _colluding, cost=0),
    Strategy("stealth", "judges, and leans a point to its side", _stealth),
)
