"""How big a share of the stake may agree on scores of its own making before honest judging no longer pays best: the contour that
Bittensor shows its consensus by, for this court."""

from __future__ import annotations

import msgspec
import numpy as np

from judges.court.terms import PPM, panel_seats
from judges.simulate.many import reckon_many
from judges.simulate.world import RAP, Chance, honest, question
from judges.simulate.world import cases as draw_cases


class Retention(msgspec.Struct, frozen=True):
    share: float
    """Of the seats that are the cartel's, on average: it says what its members agree on and looks at nothing."""
    noise: float
    """Of honest judges, as a multiple of the usual."""
    honest: float
    """Mean skill of honest seats."""
    cartel: float
    """Mean skill of the cartel's."""


def retentions(
    chance: Chance, shares: tuple[float, ...], noises: tuple[float, ...], cases: int
) -> list[Retention]:
    return [_retention(chance, share, noise, cases) for noise in noises for share in shares]


def break_even(found: list[Retention]) -> dict[float, float]:
    """By noise: the share from which the cartel earns more than honest judges do, between the points that were tried."""
    result: dict[float, float] = {}
    for noise in sorted({each.noise for each in found}):
        row = sorted((e for e in found if e.noise == noise), key=lambda each: each.share)
        gaps = [each.honest - each.cartel for each in row]
        result[noise] = row[-1].share
        for at in range(1, len(row)):
            if gaps[at] <= 0:
                part = gaps[at - 1] / (gaps[at - 1] - gaps[at])
                result[noise] = row[at - 1].share + part * (row[at].share - row[at - 1].share)
                break
    return result


def _retention(chance: Chance, share: float, noise: float, cases: int) -> Retention:
    world = msgspec.structs.replace(RAP, noise=RAP.noise * noise, leniency=RAP.leniency * noise)
    of = draw_cases(world, chance, cases)
    made_up = draw_cases(world, chance, cases).truth
    seats = panel_seats(paid=True, appeals=0)
    theirs = chance.random((cases, seats)) < share
    agreed = np.rint(made_up).clip(0, 10_000).astype(np.int64)[:, None]
    sheets = np.where(theirs[:, :, None], agreed, honest(world, chance, of, seats))
    # Scale is what honest use has made it: a cartel that comes later is measured by it.
    skills = reckon_many(question(RAP, 0, 0), sheets).skills / PPM
    return Retention(share, noise, float(skills[~theirs].mean()), float(skills[theirs].mean()))
