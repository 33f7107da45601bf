"""From matches that a model played itself to what it learns from: which answers were better than expected. Pure.

Two rewards, kept apart. The *outcome* goes to each answer of a seat that the rules took, less what the seat's role is
expected to come to (SPIRAL; Liu et al., 2025) or, where all seats had the same puzzle, relative to the others' answers
to it (Shao et al., 2024). *Format* goes to answers that were given freely: 1 where the rules took it, 0 where
not, less the running mean. A match that a forfeit decided teaches format alone: nobody won it by what he bid.
An answer that came out as expected teaches nothing and is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from training.data.advantage import Baselines, group_relative, role_of
from training.data.example import Sample
from training.play.played import Attempt, Played, return_milli

LEAST = 1e-6
"""A smaller advantage is none."""
LOGIC = "logic"


class Credit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much counts what."""

    baseline: Literal["role", "group"] = "role"
    format_weight: Annotated[float, Meta(ge=0, le=10)] = 0.5
    """Of the reward of format, beside outcomes of -1 to 1."""


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What a round of matches came to."""

    answers: int
    """Of the learner, counted over its seats."""
    valid: int
    kept: int
    """Samples that teach something."""
    tokens: int
    """Of all its answers."""
    reward: float
    """Mean outcome over its seats; 0 where no match counts."""


def outcome_reward(game: Played, seat: int) -> float:
    """-1 to 1: the share of the other seats that it beat less the share that beat it; in logic the share of the
    puzzles that it solved, since speed is no merit of a sampler."""
    if game.space == LOGIC:
        from spaces.logic.puzzles import POINTS
        from spaces.logic.rules import TIME_RANGE

        rounds = (
            1
            + max(each.number for each in game.attempts)
            - min(each.number for each in game.attempts)
        )
        return -(-game.returns[seat] // TIME_RANGE) / POINTS / rounds
    return return_milli(game.returns, seat) / 1_000


def learned(
    games: Sequence[Played], learners: Collection[str], credit: Credit, baselines: Baselines
) -> tuple[list[Sample], Baselines, Tally]:
    """Samples of the learners' seats, in the order of the games; the baselines after them; what they came to."""
    seats = [
        (game, seat) for game in games for seat, name in enumerate(game.seating) if name in learners
    ]
    made = [(game, each) for game, seat in seats for each in game.of_seat(seat)]
    counts = [(game, seat) for game, seat in seats if not _forfeited(game)]
    outcomes, baselines = _outcomes(counts, credit, baselines)
    formats, baselines = _formats(made, baselines)
    samples = []
    for (game, each), valid in zip(made, formats, strict=True):
        lead = credit.format_weight * valid
        if each.legal:
            lead += outcomes.get((game.match, each.seat), 0.0)
        if abs(lead) > LEAST and each.said.completion:
            samples.append(_sample(game, each, lead))
    rewards = [outcome_reward(game, seat) for game, seat in counts]
    return (
        samples,
        baselines,
        Tally(
            answers=len(made),
            valid=sum(each.legal for _, each in made),
            kept=len(samples),
            tokens=sum(len(each.said.completion) for _, each in made),
            reward=sum(rewards) / len(rewards) if rewards else 0.0,
        ),
    )


def _forfeited(game: Played) -> bool:
    return game.outcome.termination == "forfeit"


def _outcomes(
    seats: Sequence[tuple[Played, int]], credit: Credit, baselines: Baselines
) -> tuple[dict[tuple[str, int], float], Baselines]:
    """By match and seat."""
    rewards = [(role_of(game.space, seat), outcome_reward(game, seat)) for game, seat in seats]
    keys = [(game.match, seat) for game, seat in seats]
    if credit.baseline == "role":
        lead, baselines = baselines.advantages(rewards)
        return dict(zip(keys, lead, strict=True)), baselines
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    for at, (game, _) in enumerate(seats):
        groups[game.seed].append(at)
    found: dict[tuple[str, int], float] = {}
    for group in groups.values():
        lead = group_relative([rewards[at][1] for at in group])
        found |= {keys[at]: each for at, each in zip(group, lead, strict=True)}
    return found, baselines


def _formats(
    made: Sequence[tuple[Played, Attempt]], baselines: Baselines
) -> tuple[list[float], Baselines]:
    """Of each answer; 0 where a grammar saw to it."""
    free = [at for at, (_, each) in enumerate(made) if not each.said.allowed]
    rewards = [
        (f"{made[at][0].space}/format/{made[at][1].kind}", float(made[at][1].legal)) for at in free
    ]
    lead, baselines = baselines.advantages(rewards)
    found = [0.0] * len(made)
    for at, each in zip(free, lead, strict=True):
        found[at] = each
    return found, baselines


def _sample(game: Played, made: Attempt, advantage: float) -> Sample:
    return Sample(
        prompt=made.said.prompt,
        completion=made.said.completion,
        logprobs=made.said.logprobs,
        advantage=advantage,
        group=role_of(game.space, made.seat),
        allowed=made.said.allowed,
    )
