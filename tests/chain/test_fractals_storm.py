"""Storms over the points: balances only grow, and are the most that any root has said."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from chain.points_tree import PointsTree
from tests.chain.contracts import deploy
from tests.chain.roles import give_role
from tests.chain.storm import REFUSED, Storm, run
from tests.chain.wallets import wallet

ADMIN, PUBLISHER, EVE, *EARNERS = (wallet(n).address for n in range(1, 7))
PICK = st.integers(0, 10**6)
POINTS = st.dictionaries(st.sampled_from(EARNERS), st.integers(0, 100), min_size=1)


class Fractals(Storm):
    @initialize()
    def begin(self) -> None:
        self.fractals = deploy("fractals", sender=ADMIN)
        give_role(self.fractals, "publisher", PUBLISHER, ADMIN)
        self.posted: list[tuple[int, int, PointsTree]] = []
        self.season, self.number = 0, 0
        self.totals: dict[int, int] = {}
        self.points: dict[tuple[int, str], int] = {}

    @rule(points=POINTS, ahead=st.sampled_from([0, 0, 0, 1, 2, -1]), more=st.integers(-50, 50))
    def post(self, points: dict[str, int], ahead: int, more: int) -> None:
        season = self.season + ahead
        number = self.number + 1 if ahead == 0 else 1
        if season < 0:
            return
        tree = PointsTree(season, points)
        total = max(0, tree.total + more)
        done = self.call(self.fractals, "post", season, number, tree.root, total, sender=PUBLISHER)
        allowed = (ahead == 1 or (ahead == 0 and season > 0)) and total >= self.totals.get(
            season, 0
        )
        assert (done is not REFUSED) == allowed
        if allowed:
            self.season, self.number = season, number
            self.totals[season] = total
            self.posted.append((season, number, tree))

    @precondition(lambda self: self.posted)
    @rule(pick=PICK, earner=st.sampled_from(EARNERS))
    def claim(self, pick: int, earner: str) -> None:
        season, number, tree = self.posted[pick % len(self.posted)]
        try:
            points = tree.points(earner)
        except KeyError:
            return
        before = self.points.get((season, earner), 0)
        claimed = sum(each for (of, _), each in self.points.items() if of == season)
        gained = self.call(
            self.fractals, "claim", season, number, earner, points, tree.proof(earner), sender=EVE
        )
        more = max(0, points - before)
        if claimed + more > self.totals[season]:
            assert gained is REFUSED
            return
        assert gained == more
        self.points[season, earner] = before + more

    @precondition(lambda self: self.posted)
    @rule(pick=PICK, earner=st.sampled_from(EARNERS), more=st.integers(1, 9))
    def forge(self, pick: int, earner: str, more: int) -> None:
        season, number, tree = self.posted[pick % len(self.posted)]
        try:
            points, proof = tree.points(earner), tree.proof(earner)
        except KeyError:
            return
        for forged in ((season, earner, points + more), (season, EVE, points)):
            gained = self.call(
                self.fractals, "claim", forged[0], number, forged[1], forged[2], proof, sender=EVE
            )
            assert gained is REFUSED

    @invariant()
    def balances_are_what_was_claimed(self) -> None:
        if not hasattr(self, "fractals"):
            return
        assert self.fractals.totalSupply() == sum(self.points.values())

    def at_the_end(self) -> None:
        if not hasattr(self, "fractals"):
            return
        for earner in EARNERS:
            of_all = sum(each for (_, of), each in self.points.items() if of == earner)
            assert self.fractals.balanceOf(earner) == of_all


def test_a_small_storm() -> None:
    seen = run(Fractals, examples=8, steps=25, always_the_same=True)
    assert seen["post"]


@pytest.mark.slow
def test_a_storm() -> None:
    seen = run(Fractals, examples=100, steps=50)
    assert seen.total() >= 3_000
    assert min(seen["post"], seen["claim"], seen["claim!"]) > 200
