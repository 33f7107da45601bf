"""When a panel is too close to be believed: what a margin of escalation corrects, and what it costs."""

from __future__ import annotations

import msgspec
import numpy as np

from judges.court.terms import panel_seats
from judges.simulate.flips import TIE_MILLI
from judges.simulate.many import Reckonings, reckon_many
from judges.simulate.world import Cases, Chance, World, honest, question, totals
from judges.simulate.world import cases as draw_cases

CLEARLY_MILLI = 500
"""A contestant that is so much better is better to most readers."""


class Delta(msgspec.Struct, frozen=True):
    """What a margin of escalation does to panels of honest judges alone."""

    rubric: str
    margin: int
    automatic: int
    """Bigger panels that are called by themselves, at most."""
    escalates: float
    wrong: float
    """Cases whose winner is worse than the best contestant by TIE_MILLI at least, in truth, and was no draw."""
    clearly_wrong: float
    """By CLEARLY_MILLI at least."""
    draws: float
    work: float
    """Judgements, as a multiple of the first panel's."""
    of_the_fee: float
    """What all hearings pay, as a share of the first one's fee: the rest is left for audits. Seats are paid alike in all."""


def deltas(
    chance: Chance, worlds: dict[str, World], margins: tuple[int, ...], count: int
) -> list[Delta]:
    found: list[Delta] = []
    for rubric, world in worlds.items():
        of = draw_cases(world, chance, count)
        panels = []
        for appeals in range(3):
            seats = panel_seats(True, appeals)
            asked = question(world, 10**6 * seats, 0, appeals)
            panels.append(reckon_many(asked, honest(world, chance, of, seats)))
        found += [
            _delta(rubric, world, of, panels, margin, automatic)
            for margin in margins
            for automatic in ((0,) if margin == 0 else (1, 2))
        ]
    return found


def _delta(
    rubric: str, world: World, of: Cases, panels: list[Reckonings], margin: int, automatic: int
) -> Delta:
    first = panels[0].skills.shape[1]
    deserved = totals(world, of.truth)
    winner, by, work = panels[0].winners, panels[0].margins, np.ones(len(of))
    pays = panels[0].pays.sum(axis=1).astype(float)
    close = np.ones(len(of), bool)
    for bigger in panels[1 : automatic + 1]:
        close = close & (by < margin)
        work += close * (bigger.skills.shape[1] / first)
        pays += close * bigger.pays.sum(axis=1)
        winner = np.where(close, bigger.winners, winner)
        by = np.where(close, bigger.margins, by)
    worse = deserved.max(axis=1) - deserved[np.arange(len(of)), winner]
    told = by >= TIE_MILLI
    return Delta(
        rubric,
        margin,
        automatic,
        float((panels[0].margins < margin).mean()) if automatic else 0.0,
        float((told & (worse >= TIE_MILLI)).mean()),
        float((told & (worse >= CLEARLY_MILLI)).mean()),
        float((~told).mean()),
        float(work.mean()),
        float(pays.mean()) / (10**6 * first),
    )
