"""The world that is assumed: how good the contestants are, and what an honest judge makes of it."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from judges.court.reckoning import Question
from judges.court.terms import TOP_MILLI, panel_seats

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Chance = np.random.Generator


class World(msgspec.Struct, frozen=True):
    """Standard deviations in thousandths of a point. The honest judge of the default world has a mean skill of about 0.4, as
    in the research notes; half of its error is shared by its family or by everybody."""

    weights: tuple[int, ...] = (1, 1, 1, 1)
    contestants: int = 2
    prior: int = 5_500
    ability: float = 1_200
    """Between contestants, on all lines."""
    line: float = 800
    """Of one contestant between the lines."""
    noise: float = 800
    """Of one judge's score, its own."""
    bias: float = 250
    """What all honest judges have in common, by score: no panel sees through it."""
    family: float = 350
    """What judges of one model family have in common, by score."""
    leniency: float = 300
    """Of one judge in one case, on all its scores."""
    step: int = 500
    """Judges say half points (the mean of two orders of whole ones)."""
    families: int = 6

    @property
    def size(self) -> int:
        return len(self.weights) * self.contestants

    @property
    def spread(self) -> float:
        """Of the truth around the prior."""
        return float(np.hypot(self.ability, self.line))


RAP = World()
WRITING = World(weights=(2, 1, 1, 1), contestants=5)
WORLDS = {"rap-battle/1": RAP, "writing/1": WRITING}
"""By the rubric's id."""


class Cases(msgspec.Struct, frozen=True):
    """What is the same for all panels of a case. (cases, size) and (cases, families, size)."""

    truth: Floats
    """What each contestant deserves on each line."""
    shown: Floats
    """What it looks like to all honest judges alike."""
    by_family: Floats
    """And, besides, to those of one family."""

    def __len__(self) -> int:
        return len(self.truth)


def cases(world: World, chance: Chance, count: int, gap: float | None = None) -> Cases:
    """`gap`: the first contestant's total is so much more than the second's, of two."""
    ability = chance.normal(0, world.ability, (count, 1, world.contestants))
    line = chance.normal(0, world.line, (count, len(world.weights), world.contestants))
    truth = world.prior + ability + line
    if gap is not None:
        is_gap = totals(world, truth.reshape(count, -1))
        shift = (gap - (is_gap[:, 0] - is_gap[:, 1])) / 2
        truth[:, :, 0] += shift[:, None]
        truth[:, :, 1] -= shift[:, None]
    truth = truth.reshape(count, world.size)
    bias = chance.normal(0, world.bias, truth.shape)
    by_family = chance.normal(0, world.family, (count, world.families, world.size))
    return Cases(truth, truth + bias, by_family)


def totals(world: World, scores: Floats) -> Floats:
    """(…, contestants) of (…, size): means over the lines, by weight."""
    by_line = scores.reshape(*scores.shape[:-1], len(world.weights), world.contestants)
    return np.asarray(np.average(by_line, axis=-2, weights=world.weights), np.float64)


def seen(world: World, chance: Chance, of: Cases, seats: int, noise: float = 1.0) -> Floats:
    """(cases, seats, size): what honest judges make of it, before they round. `noise`: so many times the usual own error.
    Families sit as evenly as their cap makes them sit."""
    family = of.by_family[:, chance.permutation(seats) % world.families]
    leniency = chance.normal(0, world.leniency * noise, (len(of), seats, 1))
    own = chance.normal(0, world.noise * noise, (len(of), seats, world.size))
    return of.shown[:, None, :] + family + leniency + own


def said(world: World, scores: Floats) -> Ints:
    """As they stand in a sheet."""
    whole = np.rint(scores / world.step) * world.step
    clipped: Floats = np.clip(whole, 0, TOP_MILLI)
    return clipped.astype(np.int64)


def honest(world: World, chance: Chance, of: Cases, seats: int) -> Ints:
    """(cases, seats, size): sheets."""
    return said(world, seen(world, chance, of, seats))


def question(world: World, fee: int, lock: int, appeals: int = 0, paid: bool = True) -> Question:
    """As the clerk would file it: prior and scale are what long honest use would have made them."""
    return Question(
        weights=world.weights,
        contestants=world.contestants,
        prior=(world.prior,) * len(world.weights),
        scale=usual_distance(world),
        seats=panel_seats(paid, appeals),
        fee=fee,
        lock=lock,
    )


def usual_distance(world: World) -> int:
    """Mean square of what panels find less the prior, thousandths of a point squared: of the truth, what all have in common,
    and a median's share of the rest (pi / 2 of a mean's, for seven)."""
    own = world.noise**2 + world.family**2 + world.leniency**2
    return round(world.spread**2 + world.bias**2 + own * np.pi / 2 / 7)
