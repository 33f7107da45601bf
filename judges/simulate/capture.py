"""How often an attacker with a share of the stake holds most seats of a panel: in closed form, and by the court's own draw."""

from __future__ import annotations

import math
import random

import msgspec
import numpy as np
from numpy.typing import NDArray

from judges.court.draw import Candidate, Word, draw
from judges.simulate.world import Chance

POOL = 96
"""Judges that stand, of equal stake: for an attacker the best, since nobody sits twice."""
FAMILIES = 6
Held = NDArray[np.bool_]

LABELS = 200
"""How many ways each draw is read: judges of one stake may change places, so which of a family are the attacker's is open."""


class Capture(msgspec.Struct, frozen=True):
    share: float
    """Of the stake."""
    seats: int
    closed: float
    """Each seat drawn by itself: what the draw without replacement is at most."""
    drawn: float
    """By the court's draw with its caps; the attacker has as many operators and families as there are."""
    one_family: float
    """The same, if all its judges are of one family (its cap is a third of the seats)."""


def closed(share: float, seats: int) -> float:
    """P(more than half of `seats`), each of which is the attacker's with probability `share`."""
    majority = seats // 2 + 1
    return sum(
        math.comb(seats, won) * share**won * (1 - share) ** (seats - won)
        for won in range(majority, seats + 1)
    )


def captures(
    chance: Chance, shares: tuple[float, ...], panels: tuple[int, ...], draws: int
) -> list[Capture]:
    pool = [Candidate(str(at), str(at), str(at % FAMILIES), 10**22) for at in range(POOL)]
    found: list[Capture] = []
    for seats in panels:
        words = random.Random(int(chance.integers(2**62)))  # noqa: S311
        drawn = [draw(pool, seats, _words(words)).seated for _ in range(draws)]
        found += [
            Capture(
                share,
                seats,
                closed(share, seats),
                _majorities(drawn, _spread(chance, share)),
                _majorities(drawn, _first_family(share)),
            )
            for share in shares
        ]
    return found


def _words(source: random.Random) -> Word:
    return lambda _: source.getrandbits(256)


def _spread(chance: Chance, share: float) -> Held:
    """(LABELS, POOL): which judges are the attacker's, as evenly over the families as can be."""
    whole, rest = divmod(round(share * POOL), FAMILIES)
    more = chance.random((LABELS, FAMILIES)).argsort(axis=1) < rest
    among = chance.random((LABELS, POOL // FAMILIES, FAMILIES)).argsort(axis=1)
    return (among < whole + more[:, None, :]).reshape(LABELS, POOL)


def _first_family(share: float) -> Held:
    """(1, POOL): one family whole, and what is over nowhere: it cannot be of that family."""
    members = np.arange(0, POOL, FAMILIES)[: round(share * POOL)]
    held = np.zeros((1, POOL), bool)
    held[0, members] = True
    return held


def _majorities(panels: list[tuple[int, ...]], held: Held) -> float:
    seats = len(panels[0])
    seated = held[:, np.asarray(panels)].sum(axis=2)
    return float((seated > seats // 2).mean())
