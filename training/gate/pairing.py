"""Which matches a gate plays: pairs with one seed and seats flipped, from a seed to which it is bound before the first. Pure.

The commitment is SHA-256("agon-gate/1" || gate || plan || seed), where `plan` is the hex SHA-256 of the canonical JSON of the
`Plan`, its floats as decimal text. It is public before the first match and the seed after the last, so nobody has picked a match by its seed. The seed of
a pair is the first four words (`spaces.seed`) of the label `pair:<number>` for pairs against the current version, and
`pool:<rival>:<number>` for pairs against the pool: there the candidate and the current version play the same seeds, so that
they can be compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from chain.documents.form import Name
from spaces import canonical
from spaces.seed import SEED_BYTES, Streams
from training.gate.sprt import Bounds

TAG = b"agon-gate/1"
CANDIDATE, CURRENT = 0, 1
"""Players; the rivals of the pool are 2, 3, …"""
FIRST_RIVAL = 2
MOST_RIVALS = 16

Arm = Literal["current", "pool", "pool-current"]
"""`current`: candidate against current version, which the SPRT is of. `pool`: candidate against a rival of the pool.
`pool-current`: current version against that rival."""
Pairs = Annotated[int, Meta(ge=0, le=1_000)]


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a gate is to play. Versions are ids; those of the pool never change, so it is frozen by naming them."""

    space: Name
    seats: Annotated[int, Meta(ge=2, le=64)] = 2
    params: dict[str, Any] = {}
    """Of the Space; no floats."""
    candidate: Name
    current: Name
    pool: Annotated[tuple[Name, ...], Meta(max_length=MOST_RIVALS)] = ()
    pool_pairs: Pairs = 10
    """Against each rival, by the candidate and by the current version each; 0: the pool is not played against."""
    bounds: Bounds = Bounds()

    @property
    def fillers(self) -> int:
        """Seats that rivals of the pool fill where a Space has more than two: the same ones, in every match."""
        return self.seats - 2


class BadPlan(ValueError):
    """The matches cannot be played so; the message says why."""


class Match(msgspec.Struct, frozen=True):
    """One session of a gate. Two that differ in `flip` alone are a pair."""

    arm: Arm
    rival: int
    """The place in the pool, from 0 on; 0 in the arm `current`."""
    pair: int
    """From 0 on, in its arm and against its rival."""
    flip: bool
    seats: tuple[int, ...]
    """Players by seat."""

    @property
    def name(self) -> str:
        """Unique in its gate and the same in every life of it, e.g. `current.17.b`."""
        against = self.arm if self.arm == "current" else f"{self.arm}.{self.rival}"
        return f"{against}.{self.pair}.{'b' if self.flip else 'a'}"

    @property
    def ours(self) -> int:
        """The seat whose score counts: the candidate's, or the current version's in `pool-current`."""
        return self.seats.index(CURRENT if self.arm == "pool-current" else CANDIDATE)

    @property
    def theirs(self) -> int:
        """The seat that it is compared with."""
        other = CURRENT if self.arm == "current" else FIRST_RIVAL + self.rival
        return self.seats.index(other)


def check(plan: Plan) -> Plan:
    """The plan. Raises BadPlan."""
    versions = [plan.candidate, plan.current, *plan.pool]
    if len(set(versions)) < len(versions):
        raise BadPlan("candidate, current version and the rivals of the pool must all be different")
    if plan.fillers > len(plan.pool):
        raise BadPlan(
            f"{plan.space} has {plan.seats} seats: {plan.fillers} rivals must fill them, the pool has {len(plan.pool)}"
        )
    return plan


def digest(plan: Plan) -> str:
    """Hex."""
    body = msgspec.to_builtins(plan)
    body["bounds"] = {
        name: repr(value) if isinstance(value, float) else value
        for name, value in body["bounds"].items()
    }
    return canonical.sha256(body)


def committed(gate: str, plan: Plan, seed: bytes) -> str:
    """The hex digest that is public before the first match."""
    return hashlib.sha256(TAG + gate.encode() + digest(plan).encode() + seed).hexdigest()


def seed_of(seed: bytes, match: Match) -> bytes:
    """The session's seed: the same for both matches of a pair, and for both arms of the pool."""
    of = "pair" if match.arm == "current" else f"pool:{match.rival}"
    words = islice(Streams(seed).words(f"{of}:{match.pair}"), SEED_BYTES // 8)
    return b"".join(word.to_bytes(8, "big") for word in words)


def against_current(plan: Plan, pair: int) -> tuple[Match, Match]:
    """The pair with that number, which the SPRT reads in this order."""
    fillers = tuple(FIRST_RIVAL + rival for rival in range(plan.fillers))
    return _pair("current", 0, pair, (CANDIDATE, CURRENT), fillers)


def against_pool(plan: Plan) -> Iterator[tuple[Match, Match]]:
    """Every pair against the pool, rivals in turn, the candidate's before the current version's with the same seeds.

    None where a Space has more than two seats: there the pool sits in every match already.
    """
    if plan.fillers:
        return
    for pair in range(plan.pool_pairs):
        for rival in range(len(plan.pool)):
            yield _pair("pool", rival, pair, (CANDIDATE, FIRST_RIVAL + rival), ())
            yield _pair("pool-current", rival, pair, (CURRENT, FIRST_RIVAL + rival), ())


def _pair(
    arm: Arm, rival: int, pair: int, two: tuple[int, int], fillers: tuple[int, ...]
) -> tuple[Match, Match]:
    first, second = two
    return (
        Match(arm, rival, pair, False, (first, second, *fillers)),
        Match(arm, rival, pair, True, (second, first, *fillers)),
    )


def half_points(match: Match, ranks: Sequence[int]) -> int:
    """What a match is worth to the seat that counts: 2 won, 1 drawn, 0 lost. Rank 1 is best."""
    ours, theirs = ranks[match.ours], ranks[match.theirs]
    return 2 if ours < theirs else 1 if ours == theirs else 0
