"""Do the ratings find who is good, and do their intervals hold what they promise?

For each simulated league (`rating_worlds.py`): how often the official board's 95 % intervals hold the true
strength, and how well the orders of the official board, of the live ratings and of plain Elo agree with the true
order (Spearman) of the versions that play at the end. The bar of coverage is 93 to 97 %; it is of the rows that are
not provisional, in points as they are printed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.rating_worlds import Played, World, play, spearman
from server import ratings
from server.official.board import MEAN_POINTS, POINTS, board
from server.official.document import BoardWindow, OfficialBoard

RUNS = 100
"""Of each world: some 4,000 intervals, so that a coverage of 95 % is told to within 0.7 points."""
SEED = 20261127
BAR = (0.93, 0.97)
TOP = 5
WORLDS = (
    World(name="2_seats_12", seats=2, sessions=12),
    World(name="2_seats_40", seats=2, sessions=40),
    World(name="2_seats_40_matched", seats=2, sessions=40, matched=True),
    World(name="2_seats_40_ties", seats=2, sessions=40, ties=0.5),
    World(name="2_seats_40_unequal", seats=2, sessions=40, busy=0.8),
    World(name="2_seats_40_versions", seats=2, sessions=40, improving="version", matched=True),
    World(name="2_seats_40_crowds", seats=2, sessions=40, crowds=True, matched=True),
    World(name="5_seats_12", seats=5, sessions=12),
    World(name="5_seats_40", seats=5, sessions=40),
    World(name="5_seats_40_matched", seats=5, sessions=40, matched=True),
    World(name="5_seats_40_unequal", seats=5, sessions=40, busy=0.8),
    World(name="5_seats_40_versions", seats=5, sessions=40, improving="version", matched=True),
    World(name="2_seats_40_silent", seats=2, sessions=40, improving="silently", matched=True),
)


async def run(redis_url: str) -> list[dict[str, Any]]:
    """Needs no Redis."""
    found = []
    every = _Tally()
    for number, world in enumerate(WORLDS):
        tally = _Tally()
        rng = np.random.default_rng([SEED, number])
        for _ in range(RUNS):
            tally.add(play(world, rng))
        found.append(tally.agreement(world))
        if world.improving != "silently":  # what is one strength there cannot be covered
            found.append(tally.coverage(f"ratings_coverage_{world.name}"))
            every.covered += tally.covered
            every.top += tally.top
    return [
        *found,
        every.coverage("ratings_coverage_all"),
        _coverage("ratings_coverage_all_first_five", every.top),
    ]


class _Tally:
    def __init__(self) -> None:
        self.covered: list[bool] = []
        self.top: list[bool] = []
        """Of the rows that a board shows first: luck has helped those more than others."""
        self._agreements: dict[str, list[float]] = {}

    def add(self, played: Played) -> None:
        made = board("simulated", played.outcomes, BoardWindow())
        self._cover(made, played)
        points = {row.version: float(row.points) for row in made.rows}
        ordinals = {
            name: float(ratings.ordinal_milli(each.mu_milli, each.sigma_milli))
            for name, each in played.live.items()
        }
        mus = {name: float(each.mu_milli) for name, each in played.live.items()}
        now = [name for name in played.now if name in points]
        truth = [played.truth[name] for name in now]
        for kind, estimate in {
            "official": points,
            "openskill mu - 3 sigma": ordinals,
            "openskill mu": mus,
            "Elo, K 32": played.elo,
        }.items():
            found = spearman(truth, [estimate[name] for name in now])
            self._agreements.setdefault(kind, []).append(found)

    def _cover(self, made: OfficialBoard, played: Played) -> None:
        """Truth in points: differences from the mean over the seats, as the board has it."""
        seats = sum(row.sessions for row in made.rows)
        mean = sum(played.truth[row.version] * row.sessions for row in made.rows) / seats
        held = [
            row.low <= MEAN_POINTS + POINTS * (played.truth[row.version] - mean) <= row.high
            for row in made.rows
            if not row.provisional
        ]
        self.covered += held
        self.top += held[:TOP]

    def agreement(self, world: World) -> dict[str, Any]:
        means = {kind: round(float(np.mean(each)), 4) for kind, each in self._agreements.items()}
        official = means.pop("official")
        return {
            "name": f"ratings_spearman_{world.name}",
            "value": official,
            "unit": "rank correlation with the truth",
            "bar": means["Elo, K 32"],
            "met": official >= means["Elo, K 32"],
            "peers": means,
        }

    def coverage(self, name: str) -> dict[str, Any]:
        return _coverage(name, self.covered)


def _coverage(name: str, held: list[bool]) -> dict[str, Any]:
    share = float(np.mean(held))
    return {
        "name": name,
        "value": round(share, 4),
        "unit": "of the 95 % intervals hold the truth",
        "bar": list(BAR),
        "met": BAR[0] <= share <= BAR[1],
        "intervals": len(held),
        "standard_error": round(math.sqrt(share * (1 - share) / len(held)), 4),
    }
