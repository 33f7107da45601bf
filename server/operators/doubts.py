"""Whom the arena challenges and when, what it draws and what it records: within the contract's rules. Pure.

Times are unix seconds as the chain tells them. Challenges come without memory, `every_s` apart on average: that an operator
has just been asked says nothing about when it is asked again.
"""

from __future__ import annotations

import enum
import math
import random

import msgspec

from chain.client.operators import Terms
from server.operators.standing import Standing

SEED_BLOCKS = 4
DRAW_S = 3_600
RECORD_S = 172_800
ROLE_GAP_S = 3_600
"""All four as in `contracts/operators.vy`."""


class Doubted(msgspec.Struct, frozen=True):
    """A challenge of ours that is open."""

    id: int
    opened_number: int
    opened_s: int
    drawn_number: int | None = None
    answer_until: int = 0


class Step(enum.Enum):
    DRAW = "draw"
    MISS = "miss"
    LAPSE = "lapse"
    WAIT = "wait"


def step(doubted: Doubted, number: int, now_s: int, terms: Terms) -> Step:
    """What to do about it in the block after `number`, which is of `now_s`."""
    if doubted.drawn_number is None:
        if now_s > doubted.opened_s + DRAW_S:
            return Step.LAPSE
        return Step.DRAW if number >= doubted.opened_number + SEED_BLOCKS else Step.WAIT
    late = now_s > doubted.answer_until
    buried = number > doubted.drawn_number + terms.answer_blocks
    return Step.MISS if late and buried else Step.WAIT


def life_s(terms: Terms) -> int:
    """The longest that a challenge takes from its opening until its miss is recorded."""
    return DRAW_S + terms.answer_s + RECORD_S


def attested_since(now_s: int, terms: Terms) -> int:
    """Of batches that are older nothing may be asked any more."""
    return now_s + life_s(terms) - terms.retention_s


def may_be_asked(standing: Standing, last_s: int | None, now_s: int, terms: Terms) -> bool:
    """Whether the contract lets the role challenge an operator now, whom it challenged at `last_s`; nothing of it is open."""
    if last_s is not None and now_s < last_s + ROLE_GAP_S:
        return False
    leaving = standing.unbonding > 0 and now_s + life_s(terms) <= standing.unbonding_at
    return standing.bonded > 0 or leaving


def is_time(rng: random.Random, elapsed_s: float, every_s: float) -> bool:
    """Whether a challenge falls into these seconds: a Poisson process of one in `every_s`."""
    return rng.random() < -math.expm1(-elapsed_s / every_s)
