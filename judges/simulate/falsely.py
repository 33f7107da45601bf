"""How often honest judges are slashed, in worlds that are kinder and less kind than the one the numbers were chosen in."""

from __future__ import annotations

import msgspec
import numpy as np

from judges.court.overturn import overturn_slash
from judges.court.rolling import Heard, rows_below
from judges.court.terms import BPS, MARGIN_MILLI, PPM, TERMS, WINDOW, panel_seats
from judges.simulate.many import reckon_many
from judges.simulate.world import RAP, WRITING, Chance, World, honest, question
from judges.simulate.world import cases as draw_cases

WORLDS: dict[str, World] = {
    "as assumed": RAP,
    "writing, five contestants": WRITING,
    "judges err half as much again": msgspec.structs.replace(RAP, noise=1_200, leniency=450),
    "families twice as far apart": msgspec.structs.replace(RAP, family=700),
    "contestants half as far apart": msgspec.structs.replace(RAP, ability=600, line=400),
}


class FalseSlashes(msgspec.Struct, frozen=True):
    """Shares of honest judges, by WINDOW cases, on panels of honest judges."""

    world: str
    judges: int
    """How many were looked at, each for WINDOW cases."""
    skill: float
    outlier: float
    """Slashed as an outlier at least once."""
    rolling: float
    """Whose row of WINDOW is below the floor."""
    overturned: float
    """Whose hearing was overturned at their cost at least once, if every single case were appealed to the biggest panel."""
    any: float


def false_slashes(chance: Chance, cases: int) -> list[FalseSlashes]:
    return [_false(chance, name, world, cases) for name, world in WORLDS.items()]


def _false(chance: Chance, name: str, world: World, cases: int) -> FalseSlashes:
    """`cases`: a multiple of WINDOW; each seat of the panel is a judge that sits for WINDOW of them."""
    asked = question(world, 0, BPS)
    seats = panel_seats(paid=True, appeals=0)
    of = draw_cases(world, chance, cases)
    sheets = honest(world, chance, of, seats)
    found = reckon_many(asked, sheets)
    last = reckon_many(question(world, 0, BPS, 2), honest(world, chance, of, panel_seats(True, 2)))
    fell = np.zeros(found.skills.shape, bool)
    differ = (found.winners != last.winners) & (found.margins >= MARGIN_MILLI)
    for case in np.flatnonzero(differ & (last.margins >= MARGIN_MILLI)):
        was, final = found.totals[case].tolist(), last.totals[case].tolist()
        for seat in range(seats):
            own = sheets[case, seat].tolist()
            fell[case, seat] = overturn_slash(asked, own, was, final, MARGIN_MILLI) > 0
    rows = found.skills.reshape(-1, WINDOW, seats).transpose(0, 2, 1).reshape(-1, WINDOW)
    rolling = np.asarray([_falls(row.tolist()) for row in rows])
    outlier = _once(found.slashes_bps > 0)
    overturned = _once(fell)
    return FalseSlashes(
        name,
        len(rows),
        float(found.skills.mean()) / PPM,
        float(outlier.mean()),
        float(rolling.mean()),
        float(overturned.mean()),
        float((outlier | rolling | overturned).mean()),
    )


def _falls(row: list[int]) -> bool:
    return bool(rows_below([Heard(at, skill) for at, skill in enumerate(row)], terms=TERMS))


def _once(
    slashed: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """By judge: at least once in its WINDOW cases. In the order of `rows`."""
    return slashed.reshape(-1, WINDOW, slashed.shape[1]).any(axis=1).reshape(-1)
