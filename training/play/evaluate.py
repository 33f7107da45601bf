"""A against B: pairs of matches with the same held-out seed and the seats changed, so that neither the seed nor the
seat favours anybody. The pairs are the unit of the interval."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from spaces.space import Space
from training.play.ask import Player
from training.play.interval import Rate, of_pairs, wilson
from training.play.lockstep import play, seeds
from training.play.played import Played
from training.trajectory.turn import Questions

PURPOSE = "evaluation"
"""No training match has a seed of this purpose."""
AT_ONCE = 64
"""Matches side by side: more fill the batches no better, and take more memory."""

Progress = Callable[[int, int, float], None]
"""Hears matches over, of how many, and how many seconds are left by the pace so far."""


class SideReport(msgspec.Struct, frozen=True):
    """One side's answers."""

    name: str
    first_answers: Rate
    """Share of the decisions whose first answer the rules took."""
    forfeits: int
    """Decisions that it lost by two bad answers."""
    answer_tokens: float
    """Mean length of an answer; 0 for a player that is no language model."""


class Report(msgspec.Struct, frozen=True):
    """What came of an evaluation. Rates are of 0 to 1 with 95 % intervals."""

    space: str
    params: dict[str, Any]
    a: SideReport
    b: SideReport
    win_rate: Rate
    """Of A, a draw counting half; the count is of pairs."""
    wins: int
    draws: int
    losses: int
    by_seat: tuple[float, float]
    """Mean score of A in the first and in the second seat."""
    terminations: dict[str, int]
    first_seed: int
    seconds: float

    @property
    def matches(self) -> int:
        return self.wins + self.draws + self.losses

    def __str__(self) -> str:
        rate, valid_a, valid_b = self.win_rate, self.a.first_answers, self.b.first_answers
        return (
            f"{self.a.name} vs {self.b.name}: {rate.value:.1%} [{rate.low:.1%}, {rate.high:.1%}] of"
            f" {self.matches} matches ({self.wins} won, {self.draws} drawn, {self.losses} lost);"
            f" valid first answers {valid_a.value:.1%} vs {valid_b.value:.1%}"
        )


def evaluate(
    space: Space[Any, Any, Any],
    params: Mapping[str, Any],
    players: Mapping[str, Player],
    a: str,
    b: str,
    *,
    pairs: int,
    first_seed: int = 0,
    purpose: str = PURPOSE,
    at_once: int = AT_ONCE,
    progress: Progress | None = None,
    questions: Questions | None = None,
) -> Report:
    """Play `pairs` pairs of A against B, two of `players`. Where the Space has more than two seats, B has all the others.

    Raises what `play` raises, and ValueError where judges decide.
    """
    if space.decided_by != "rules":
        raise ValueError(f"{space.id} is decided by {space.decided_by}; only rules tell who won")
    if a == b:
        raise ValueError(f"{a!r} cannot play against itself; give it a second name")
    began, total = time.monotonic(), 2 * pairs
    seatings = [seating for _ in range(pairs) for seating in _flipped(space.seats, a, b)]
    drawn = [seed for seed in seeds(purpose, pairs, first_seed) for _ in range(2)]
    games: list[Played] = []
    for start in range(0, total, at_once):
        part = slice(start, start + at_once)

        def told(over: int, _: int, start: int = start) -> None:
            if progress is not None:
                done = start + over
                progress(done, total, (time.monotonic() - began) / done * (total - done))

        games += play(
            space, params, seatings[part], drawn[part], players, questions=questions, told=told
        )
    return report(
        space.id, dict(params), games, a, b, first_seed=first_seed, seconds=time.monotonic() - began
    )


def _flipped(seats: int, a: str, b: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (a, *(b,) * (seats - 1)), (*(b,) * (seats - 1), a)


def report(
    space: str,
    params: dict[str, Any],
    games: Sequence[Played],
    a: str,
    b: str,
    *,
    first_seed: int,
    seconds: float,
) -> Report:
    """Of matches that were played, the two of each pair behind one another. Pure."""
    scores = [game.score(game.seating.index(a)) for game in games]
    pairs = [(x + y) / 2 for x, y in zip(scores[::2], scores[1::2], strict=True)]
    terminations: dict[str, int] = {}
    for game in games:
        why = game.outcome.termination
        terminations[why] = terminations.get(why, 0) + 1
    won = sum(each > 0.5 for each in scores)
    drawn = sum(each == 0.5 for each in scores)
    return Report(
        space=space,
        params=params,
        a=side(games, a),
        b=side(games, b),
        win_rate=of_pairs(pairs),
        wins=won,
        draws=drawn,
        losses=len(scores) - won - drawn,
        by_seat=(_mean(scores[::2]), _mean(scores[1::2])),
        terminations=dict(sorted(terminations.items())),
        first_seed=first_seed,
        seconds=round(seconds, 1),
    )


def side(games: Sequence[Played], name: str) -> SideReport:
    """How one player answered. Pure."""
    made = [each for game in games for each in game.attempts if game.seating[each.seat] == name]
    first = [each for each in made if each.attempt == 1]
    return SideReport(
        name=name,
        first_answers=wilson(sum(each.legal for each in first), len(first)),
        forfeits=sum(not each.legal and each.attempt > 1 for each in made),
        answer_tokens=round(_mean([len(each.said.completion) for each in made]), 2),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
