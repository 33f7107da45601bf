"""Equilibria of matrix games by regret matching: both players learn until neither has much to regret.

Regret matching plays each choice in proportion to the regret of not having played it; the average of
such play approaches equilibrium in zero-sum games (Hart & Mas-Colell, "A simple adaptive procedure
leading to correlated equilibrium", Econometrica 68, 2000). Here with the improvements of its
descendants: regrets never fall below zero and the players take turns (Tammelin, "Solving large
imperfect information games using CFR+", 2014), later play counts more in the average (Brown &
Sandholm, "Solving imperfect-information games via discounted regret minimization", 2019), and the
last regret is expected to come again (Farina, Kroer & Sandholm, "Faster game solving via predictive
Blackwell approachability", 2021).

No factorisation, no degenerate cases: where the simplex of `matrix_game` might stall, this only slows
down. The gap of the returned mixes is measured, not assumed.
"""

from __future__ import annotations

import numpy as np

from spaces.bid_tac_toe.solver.matrix_game import Array, Game, judged

TOLERANCE = 1e-4
MOST = 20_000
"""Iterations at most."""
CHECK = 16
"""Iterations between two looks at the gap."""


def solve(matrix: Array, tolerance: float = TOLERANCE, most: int = MOST) -> Game:
    """Both players' average mixes; the gap is more than `tolerance` only after `most` iterations."""
    x, y = _Learner(matrix.shape[0]), _Learner(matrix.shape[1])
    game = None
    for t in range(1, most + 1):
        y.learn(-(x.mix() @ matrix))
        x.learn(matrix @ y.mix())
        # Quadratic averaging: t squared.
        x.total += t * t * x.played
        y.total += t * t * y.played
        if t % CHECK == 0 or t == most:
            game = judged(matrix, x.average(), y.average())
            if game.gap <= tolerance:
                return game
    assert game is not None, "at least one iteration"
    return game


class _Learner:
    def __init__(self, choices: int) -> None:
        self.regret = np.zeros(choices)
        self.hint = np.zeros(choices)
        """The last regret, expected to come again."""
        self.played = np.zeros(choices)
        self.total = np.zeros(choices)

    def mix(self) -> Array:
        wish = np.maximum(self.regret + self.hint, 0.0)
        total = wish.sum()
        self.played = wish / total if total > 0 else np.full(len(wish), 1 / len(wish))
        return self.played

    def learn(self, payoffs: Array) -> None:
        """What each choice would have paid against the rival's last play."""
        if not self.played.any():
            self.mix()
        self.hint = payoffs - self.played @ payoffs
        self.regret = np.maximum(self.regret + self.hint, 0.0)

    def average(self) -> Array:
        return np.asarray(self.total / self.total.sum())
