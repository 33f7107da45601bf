"""Live ratings: openskill's Plackett-Luce per (agent version, Space), in thousandths. Pure.

Chosen in a simulation of five systems (DOMAIN, "Ratings and leagues"). Weng & Lin, "A Bayesian
Approximation Method for Online Ranking", JMLR 12 (2011). Rounding to thousandths after each session
makes the numbers exact in JSON and the history replayable from the published moves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from openskill.models import PlackettLuce

from server.identity import HOUSE_OWNER

START_MU_MILLI = 25_000
START_SIGMA_MILLI = 8_333
_FLOOR_SIGMA_MILLI = 1

PROMOTION_SIGMA_MILLI = START_SIGMA_MILLI // 2
"""The doubt that a change of an agent adds."""
SEASON_KEEPS = (3, 4)
"""The part of mu's distance from the start that a new season keeps: three quarters."""

_MODEL = (
    PlackettLuce()
)  # its defaults: mu 25, sigma 25/3, beta 25/6, tau 25/300 (sigma never freezes)


class Rating(msgspec.Struct, frozen=True):
    mu_milli: int = START_MU_MILLI
    sigma_milli: int = START_SIGMA_MILLI


def update(ranks: Sequence[int], ratings: Sequence[Rating]) -> tuple[Rating, ...]:
    """The ratings after a session, in seat order; rank 1 is best, equal ranks are a draw."""
    if len(ranks) != len(ratings) or len(ratings) < 2:
        raise ValueError(
            f"{len(ranks)} ranks for {len(ratings)} ratings; two or more, as many each"
        )
    teams = [
        [_MODEL.rating(mu=each.mu_milli / 1_000, sigma=each.sigma_milli / 1_000)]
        for each in ratings
    ]
    rated = _MODEL.rate(teams, ranks=[float(rank) for rank in ranks])
    return tuple(
        Rating(round(seat.mu * 1_000), max(_FLOOR_SIGMA_MILLI, round(seat.sigma * 1_000)))
        for [seat] in rated
    )


def ordinal_milli(mu_milli: int, sigma_milli: int) -> int:
    """What the rating is sure of, mu - 3 sigma: boards and leagues go by it."""
    return mu_milli - 3 * sigma_milli


def promoted(predecessor: Rating) -> Rating:
    """What a new version begins with: its predecessor's mu, and more doubt.

    A change of prompt, model or adapter may be worth much or nothing, so its doubt adds to what was
    doubted before (variances add), and never beyond the doubt about somebody unknown.
    """
    doubt = math.isqrt(predecessor.sigma_milli**2 + PROMOTION_SIGMA_MILLI**2)
    return Rating(predecessor.mu_milli, min(START_SIGMA_MILLI, doubt))


def season_start(last: Rating) -> Rating:
    """What a new season begins with: mu a quarter of its way back to the start, and the variance halfway.

    Soft: who was best is still ahead, and the place has to be shown again. Integers throughout, so that
    anyone computes the same. Nothing changes for who has not played.
    """
    kept, of = SEASON_KEEPS
    way = (last.mu_milli - START_MU_MILLI) * kept
    mu = START_MU_MILLI + (way // of if way >= 0 else -(-way // of))
    return Rating(mu, math.isqrt((last.sigma_milli**2 + START_SIGMA_MILLI**2) // 2))


def ranks_of(returns: Sequence[int]) -> tuple[int, ...]:
    """Competition ranks (1, 1, 3) of the rules' returns; the highest is best."""
    return tuple(1 + sum(other > mine for other in returns) for mine in returns)


def unrated(versions: Sequence[str], owners: Sequence[str]) -> str:
    """Why a session moves no rating, by seat; empty where it does.

    An account that seats two of its agents decides what each of them wins, so what they play off each
    other says nothing, in a tournament of its own as in open play. The operator's own agents, which the
    house owns, are exempt: the operator could write any rating anyway.
    """
    if len(set(versions)) < len(versions):
        return "one version had several seats"
    accounts = [owner for owner in owners if owner != HOUSE_OWNER]
    if len(set(accounts)) < len(accounts):
        return "one account had several seats"
    return ""


def winners(ranks: Sequence[int]) -> tuple[bool, ...]:
    """Who won: the one best seat, or nobody when the best place is shared."""
    alone = list(ranks).count(1) == 1
    return tuple(alone and rank == 1 for rank in ranks)
