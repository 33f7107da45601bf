"""Rounds of one puzzle each: the same for all seats, answered at once and sealed, scored together.

Labels of the seed: `generator:<n>` draws which generator makes puzzle n (1 ..) out of those that this
session has not had, until all were had; `puzzle:<n>` draws its index.

A puzzle that is solved, in the eyes of the generator's own scorer, earns all its points; anything else
earns none. Time breaks ties: it is counted in full where a puzzle earned nothing (wrong or forfeited),
so that a fast guess is worth no more than slow and honest work that failed. Returns are
`points * TIME_RANGE - milliseconds`: they order as points do and then as less time does, and are
equal only where both are.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from spaces.logic import puzzles
from spaces.logic.answers import MAX_TIME_MS, Answer, check
from spaces.logic.catalogue import Level, pool
from spaces.logic.puzzles import Puzzle, Score
from spaces.seed import Streams
from spaces.space import IllegalAction, Outcome

SEATS = 5
MAX_ROUNDS = 10
TIME_RANGE = 10_000_000
"""More than the milliseconds of any session: MAX_ROUNDS * MAX_TIME_MS is 6 million."""
INDICES = 2**32


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rounds: Annotated[int, Meta(ge=1, le=MAX_ROUNDS)] = 3
    level: Level = "easy"
    topics: Annotated[tuple[Annotated[str, Meta(max_length=40)], ...], Meta(max_length=40)] = ()
    """Names of topics or of single generators (`spaces.logic.catalogue`); all when empty."""
    limit_ms: Annotated[int, Meta(ge=5_000, le=MAX_TIME_MS)] = 60_000
    """To answer one puzzle."""


class Given(msgspec.Struct, frozen=True):
    """What a seat gave in the round that goes on."""

    answer: str | None
    """None: forfeited."""
    elapsed_ms: int


class Round(msgspec.Struct, frozen=True):
    """A puzzle that was scored; tuples by seat."""

    puzzle: Puzzle
    answers: tuple[str | None, ...]
    scores: tuple[Score, ...]
    times_ms: tuple[int, ...]
    """What counts: the limit where the answer earned nothing."""


class State(msgspec.Struct, frozen=True):
    params: Params
    puzzle: Puzzle | None
    """None when all rounds are over."""
    given: tuple[Given | None, ...] = (None,) * SEATS
    """Secret until the last of the round is in."""
    log: tuple[Round, ...] = ()

    @property
    def round(self) -> int:
        """1 .. rounds; stays at the last one when all are over."""
        return min(len(self.log) + 1, self.params.rounds)

    @property
    def points(self) -> tuple[int, ...]:
        return tuple(sum(past.scores[seat].points for past in self.log) for seat in range(SEATS))

    @property
    def times_ms(self) -> tuple[int, ...]:
        return tuple(sum(past.times_ms[seat] for past in self.log) for seat in range(SEATS))


def initial(params: Params, streams: Streams) -> State:
    return State(params, _puzzle(params, (), streams))


def _puzzle(params: Params, log: tuple[Round, ...], streams: Streams) -> Puzzle:
    number = len(log) + 1
    names = pool(params.topics)
    this_cycle = log[len(log) // len(names) * len(names) :]
    had = {past.puzzle.generator for past in this_cycle}
    fresh = [name for name in names if name not in had]
    name = fresh[streams.below(f"generator:{number}", len(fresh))]
    return puzzles.make(name, params.level, streams.draws(f"puzzle:{number}", INDICES))


def owes(state: State, seat: int) -> bool:
    return state.puzzle is not None and state.given[seat] is None


def answer(state: State, seat: int, given: Answer, streams: Streams) -> State:
    """Raises IllegalAction."""
    if not owes(state, seat):
        raise IllegalAction(f"seat {seat} has no answer to give now")
    check(given)
    return _give(
        state, seat, Given(given.text, min(given.elapsed_ms, state.params.limit_ms)), streams
    )


def forfeit(state: State, seat: int, streams: Streams) -> State:
    """No points for this puzzle, and its full time. Raises ValueError when the seat owed nothing."""
    if not owes(state, seat):
        raise ValueError(f"seat {seat} owes no decision")
    return _give(state, seat, Given(None, state.params.limit_ms), streams)


def _give(state: State, seat: int, given: Given, streams: Streams) -> State:
    all_given = (*state.given[:seat], given, *state.given[seat + 1 :])
    complete = [each for each in all_given if each is not None]
    if state.puzzle is None or len(complete) < SEATS:
        return msgspec.structs.replace(state, given=all_given)
    log = (*state.log, _scored(state.params, state.puzzle, complete))
    over = len(log) == state.params.rounds
    return State(state.params, None if over else _puzzle(state.params, log, streams), log=log)


def _scored(params: Params, puzzle: Puzzle, given: list[Given]) -> Round:
    scores = tuple(
        puzzles.score(puzzle.generator, puzzle.level, puzzle.entry, each.answer) for each in given
    )
    times_ms = tuple(
        each.elapsed_ms if score.points else params.limit_ms
        for each, score in zip(given, scores, strict=True)
    )
    return Round(puzzle, tuple(each.answer for each in given), scores, times_ms)


def outcome(state: State) -> Outcome | None:
    if state.puzzle is not None:
        return None
    returns = (
        points * TIME_RANGE - spent
        for points, spent in zip(state.points, state.times_ms, strict=True)
    )
    return Outcome("complete", tuple(returns))
