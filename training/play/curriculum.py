"""Whom a learner meets: stages of frozen opponents, moved on by its win rate. Data, and pure.

An opponent's name is a scripted player's (`random`, `bidder`, `solver`), `base` (the model without the adapter),
`past` (one of the learner's frozen earlier selves) or `self` (the learner in every seat, all of which learn).
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Annotated

import msgspec
from msgspec import Meta

BASE, PAST, SELF = "base", "past", "self"


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    opponents: dict[str, Annotated[float, Meta(gt=0)]]
    """Name -> how often, in proportion."""
    until: Annotated[float, Meta(ge=0, le=1)] = 0.6
    """The win rate, draws counting half, at which the next stage begins."""


class Curriculum(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    stages: Annotated[tuple[Stage, ...], Meta(min_length=1)]
    window: Annotated[int, Meta(ge=1)] = 64
    """Matches of this stage that the win rate is taken over; before there are so many nobody moves on."""
    freeze_every: Annotated[int, Meta(ge=1)] = 20
    """Steps between two frozen selves."""
    keep: Annotated[int, Meta(ge=1, le=64)] = 4
    """Frozen selves; the oldest goes first."""

    def stage(self, standing: Standing) -> Stage:
        return self.stages[standing.stage]

    @property
    def meets_past(self) -> bool:
        return any(PAST in stage.opponents for stage in self.stages)

    def opponents(self, standing: Standing, count: int, seed: str) -> list[str]:
        """Of `count` matches; drawn by the seed. Until a self is frozen the base stands for it: so it was."""
        rng, mix = Random(seed), self.stage(standing).opponents  # noqa: S311 # play, not secrets
        names = rng.choices(list(mix), weights=list(mix.values()), k=count)
        return [self._which(name, standing, rng) for name in names]

    def _which(self, name: str, standing: Standing, rng: Random) -> str:
        if name != PAST:
            return name
        return f"{PAST}-{rng.choice(standing.frozen)}" if standing.frozen else BASE

    def after(self, standing: Standing, scores: Sequence[float]) -> Standing:
        """Where the learner stands after matches that it scored 0 to 1 in; matches against itself are none."""
        recent = (*standing.recent, *scores)[-self.window :]
        done = (
            len(recent) == self.window and sum(recent) / self.window >= self.stage(standing).until
        )
        if done and standing.stage + 1 < len(self.stages):
            return msgspec.structs.replace(standing, stage=standing.stage + 1, recent=())
        return msgspec.structs.replace(standing, recent=recent)

    def froze(self, standing: Standing, step: int) -> Standing:
        """The learner as it was after `step` can be met from now on."""
        kept = (*(each for each in standing.frozen if each != step), step)[-self.keep :]
        return msgspec.structs.replace(standing, frozen=kept)


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How far a learner has come."""

    stage: int = 0
    recent: tuple[float, ...] = ()
    """Its scores of this stage, 0 to 1, the last `window` of them."""
    frozen: tuple[int, ...] = ()
    """Steps after which a self was frozen, in their order."""

    @property
    def win_rate(self) -> float | None:
        """Over `recent`; None where there is none yet."""
        return sum(self.recent) / len(self.recent) if self.recent else None


BID_TAC_TOE = Curriculum(
    stages=(
        Stage(opponents={"random": 3, "base": 1}, until=0.65),
        Stage(opponents={"bidder": 2, "base": 1, "random": 1}, until=0.55),
        Stage(opponents={"solver": 1, "bidder": 2, "past": 1}, until=0.5),
        Stage(opponents={"past": 2, "self": 2, "solver": 1, "bidder": 1}, until=1.0),
    )
)
ALONE = Curriculum(stages=(Stage(opponents={"self": 1}, until=1.0),))
"""All seats learn: for Spaces whose seats do not play against one another, e.g. logic."""
