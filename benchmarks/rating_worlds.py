"""Simulated leagues whose strengths are known: who plays whom, who wins, who improves. Pure, seeded.

A session's ranking is drawn from Plackett-Luce: each seat's strength plus Gumbel noise, sorted; ties, where a
world has them, from Davidson's model. Strengths are normal with standard deviation 1, so a typical favourite of
two wins about 70 % of the time.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from server import ratings
from server.official.outcomes import Outcome, SeatOutcome
from server.ratings import Rating

DAY_MS = 86_400_000
ELO_START = 1_500.0
ELO_K = 32.0
CROWD = 12
"""Agents that wait when a matched session is formed; the nearest by live rating are seated."""


class World(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    seats: int
    sessions: int
    """An agent's, on average."""
    agents: int = 40
    matched: bool = False
    """By live rating, as the arena does, rather than by chance."""
    busy: float = 0.0
    """Standard deviation of the log of how much an agent plays."""
    ties: float = 0.0
    """Davidson's delta; 1 is as likely a draw as a win, between equals."""
    crowds: bool = False
    """Two crowds, weak and strong, with few between them: not the normal field that the fit assumes."""
    improving: str = ""
    """A quarter of the agents is stronger by JUMP from half-way on: in a new `version`, or `silently`."""


JUMP = 1.5


class Played(msgspec.Struct, frozen=True):
    """One run of a world."""

    outcomes: list[Outcome]
    truth: dict[str, float]
    """Strength by version; of one that improved silently, the last."""
    now: list[str]
    """The versions that play at the end."""
    live: dict[str, Rating]
    elo: dict[str, float]


def play(world: World, rng: np.random.Generator) -> Played:
    strength = rng.normal(0, 1, world.agents)
    if world.crowds:
        strength = strength / 2 + rng.choice((-1.2, 1.2), world.agents)
    jumps = set(rng.permutation(world.agents)[: world.agents // 4].tolist())
    activity = np.exp(rng.normal(0, world.busy, world.agents)) if world.busy else None
    version = [1] * world.agents
    truth = {_version(who, 1): float(strength[who]) for who in range(world.agents)}
    live: dict[str, Rating] = {}
    elo: dict[str, float] = {}
    outcomes: list[Outcome] = []
    count = world.agents * world.sessions // world.seats
    for number in range(count):
        if world.improving and number == count // 2:
            for who in jumps:
                strength[who] += JUMP
                version[who] += world.improving == "version"
                name = _version(who, version[who])
                truth[name] = float(strength[who])
                if world.improving == "version":
                    _inherit(who, live, elo)
        names = [_version(who, version[who]) for who in range(world.agents)]
        seats = _seats(world, rng, activity, [_mu(live, name) for name in names])
        ranks = _ranks(strength[seats], world.ties, rng)
        seated = [names[who] for who in seats]
        outcomes.append(_outcome(number, seats, seated, ranks))
        _move(seated, ranks, live, elo)
    now = [_version(who, version[who]) for who in range(world.agents)]
    return Played(outcomes, truth, [each for each in now if each in live], live, elo)


def _version(who: int, number: int) -> str:
    return f"a{who}@v{number}"


def _inherit(who: int, live: dict[str, Rating], elo: dict[str, float]) -> None:
    old, new = _version(who, 1), _version(who, 2)
    if old in live:
        live[new] = ratings.promoted(live[old])
        elo[new] = elo[old]


def _mu(live: dict[str, Rating], name: str) -> int:
    return live.get(name, Rating()).mu_milli


def _seats(
    world: World,
    rng: np.random.Generator,
    activity: NDArray[np.float64] | None,
    mus: list[int],
) -> list[int]:
    share = None if activity is None else activity / activity.sum()
    if not world.matched:
        return list(map(int, rng.choice(world.agents, world.seats, replace=False, p=share)))
    waiting = list(map(int, rng.choice(world.agents, CROWD, replace=False, p=share)))
    longest = waiting[0]
    nearest = sorted(waiting[1:], key=lambda who: abs(mus[who] - mus[longest]))
    return [longest, *nearest[: world.seats - 1]]


def _ranks(strength: NDArray[np.float64], ties: float, rng: np.random.Generator) -> tuple[int, ...]:
    if ties and len(strength) == 2:
        one, other = (math.exp(each) for each in strength)
        draw = ties * math.sqrt(one * other)
        at = rng.random() * (one + other + draw)
        return (1, 2) if at < one else (2, 1) if at < one + other else (1, 1)
    order = np.argsort(-(strength + rng.gumbel(size=len(strength))))
    return tuple(int(rank) for rank in np.argsort(order) + 1)


def _outcome(number: int, seats: list[int], versions: list[str], ranks: tuple[int, ...]) -> Outcome:
    return Outcome(
        session=f"s{number:07}",
        space="simulated",
        rules="simulated/1",
        tier_micros=0,
        asset="play",
        status="settled",
        reason=None,
        season=1,
        opened_ms=DAY_MS,
        sealed_ms=DAY_MS,
        settled_ms=DAY_MS + number,
        digest="",
        rated=True,
        seats=tuple(
            SeatOutcome(
                seat=seat,
                agent=f"a{who}",
                version=versions[seat],
                name=f"A{who}",
                owner=seat,
                rank=ranks[seat],
                score_milli=None,
                entry_micros=0,
                won_micros=0,
            )
            for seat, who in enumerate(seats)
        ),
    )


def _move(
    seated: list[str], ranks: tuple[int, ...], live: dict[str, Rating], elo: dict[str, float]
) -> None:
    after = ratings.update(ranks, [live.get(each, Rating()) for each in seated])
    live.update(zip(seated, after, strict=True))
    before = [elo.get(each, ELO_START) for each in seated]
    for seat, each in enumerate(seated):
        gained = sum(
            _score(ranks[seat], ranks[other]) - _expected(before[seat] - before[other])
            for other in range(len(seated))
            if other != seat
        )
        elo[each] = before[seat] + ELO_K * gained / (len(seated) - 1)


def _score(mine: int, theirs: int) -> float:
    return 0.5 if mine == theirs else float(mine < theirs)


def _expected(lead: float) -> float:
    return 1 / (1 + 10 ** (-lead / 400))


def spearman(one: list[float], other: list[float]) -> float:
    """Rank correlation; ties share the mean of their ranks."""
    from scipy.stats import spearmanr  # type: ignore[import-untyped]

    found: Any = spearmanr(one, other)
    return float(found.statistic)
