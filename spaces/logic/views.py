"""What is seen of a session of Logic. Answers and solutions appear together when a round is over.

The observation:

    phase           "answer" or "over"
    round, rounds   1 .. rounds
    level           "easy", "medium" or "hard"
    limit_ms        to answer one puzzle
    puzzle          {round, topic, generator, question} of the puzzle that is open; null when over
    answers_in      [bool] by seat: who has answered (or forfeited) the open puzzle
    points          [int] by seat so far; 1000 is one puzzle solved
    times_ms        [int] by seat so far; a puzzle that earned nothing counts its full limit
    ranks           [int] by seat, 1 is best, equal ones share a rank: by points, then by less time
    log             of each round that is over: {round, topic, generator, question, solution,
                    answers: [text or null where forfeited], scores: [1000 where solved, else 0],
                    times_ms: [int]}
    your_answer     of a seat's own view: its sealed answer to the open puzzle, or null
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spaces.logic.catalogue import GENERATORS
from spaces.logic.puzzles import POINTS, Puzzle, installed
from spaces.logic.rules import SEATS, TIME_RANGE, Round, State
from spaces.seat_names import seat_name
from spaces.space import Note


def observe(state: State, viewer: int | None) -> dict[str, Any]:
    seen: dict[str, Any] = {
        "phase": "over" if state.puzzle is None else "answer",
        "round": state.round,
        "rounds": state.params.rounds,
        "level": state.params.level,
        "limit_ms": state.params.limit_ms,
        "puzzle": None if state.puzzle is None else _shown(state.puzzle, state.round),
        "answers_in": [given is not None for given in state.given],
        "points": list(state.points),
        "times_ms": list(state.times_ms),
        "ranks": _ranks(state),
        "log": [_past(past, number) for number, past in enumerate(state.log, 1)],
    }
    if viewer is not None:
        given = state.given[viewer]
        seen["your_answer"] = None if given is None else given.answer
    return seen


def _shown(puzzle: Puzzle, number: int) -> dict[str, Any]:
    return {
        "round": number,
        "topic": GENERATORS[puzzle.generator].topic,
        "generator": puzzle.generator,
        "question": question(puzzle),
    }


def _past(past: Round, number: int) -> dict[str, Any]:
    return {
        **_shown(past.puzzle, number),
        "solution": past.puzzle.solution,
        "answers": list(past.answers),
        "scores": [score.points for score in past.scores],
        "times_ms": list(past.times_ms),
    }


def question(puzzle: Puzzle) -> str:
    lead = GENERATORS[puzzle.generator].lead
    return f"{lead}\n{puzzle.question}" if lead else puzzle.question


def _ranks(state: State) -> list[int]:
    order = [(-points, spent) for points, spent in zip(state.points, state.times_ms, strict=True)]
    return [1 + sum(other < mine for other in order) for mine in order]


def notes(state: State) -> tuple[Note, ...]:
    """`puzzle` when a round opens; `scores` when it is over, with all that scoring it again takes
    (`python -m spaces.logic.rescore`): besides the points what the generator's scorer gave, `marks` in
    thousandths, of which only the full one counts."""
    told: list[Note] = []
    for number, past in enumerate(state.log, 1):
        told += [_puzzle_note(past.puzzle, number), _scores_note(past, number)]
    if state.puzzle is not None:
        told.append(_puzzle_note(state.puzzle, state.round))
    return tuple(told)


def _origin(puzzle: Puzzle, number: int) -> dict[str, Any]:
    return {
        "round": number,
        "generator": puzzle.generator,
        "level": puzzle.level,
        "library": f"reasoning-gym {installed()}",
    }


def _puzzle_note(puzzle: Puzzle, number: int) -> Note:
    return Note("puzzle", {**_origin(puzzle, number), "question": puzzle.question})


def _scores_note(past: Round, number: int) -> Note:
    body = {
        **_origin(past.puzzle, number),
        "solution": past.puzzle.solution,
        "entry": past.puzzle.entry,
        "answers": list(past.answers),
        "scores": [score.points for score in past.scores],
        "marks": [score.mark for score in past.scores],
        "times_ms": list(past.times_ms),
        "scorer_failed": [seat for seat, score in enumerate(past.scores) if score.raised],
    }
    return Note("scores", body)


def headline(state: State) -> str:
    """At most 80 characters."""
    if state.puzzle is None:
        best = max(state.points) // POINTS
        rounds = state.params.rounds
        puzzles = f"{rounds} puzzle{'s' if rounds > 1 else ''}"
        return f"{puzzles}, {state.params.level}, the best solved {best}"
    given = sum(each is not None for each in state.given)
    return (
        f"puzzle {state.round}/{state.params.rounds}, {state.puzzle.generator}, "
        f"{state.params.level}, {given} of {SEATS} answers in"
    )


def render(state: State, names: Sequence[str] = ()) -> str:
    lines = [headline(state)]
    for number, past in enumerate(state.log, 1):
        lines.append(f"[puzzle {number}: {past.puzzle.generator}]")
        lines += [f"  {line}" for line in question(past.puzzle).split("\n")]
        lines.append(f"  solution: {past.puzzle.solution}")
        lines += [f"  {seat_name(names, seat)}: {_told(past, seat)}" for seat in range(SEATS)]
    if state.puzzle is not None:
        lines.append(f"[puzzle {state.round}: {state.puzzle.generator}]")
        lines += [f"  {line}" for line in question(state.puzzle).split("\n")]
    return "\n".join(lines)


def _told(past: Round, seat: int) -> str:
    answer = past.answers[seat]
    if answer is None:
        return "no answer"
    if past.scores[seat].points == 0:
        return f"wrong: {answer}"
    return f"solved in {seconds(past.times_ms[seat])}: {answer}"


def return_in_words(value: int) -> str:
    """`3 solved, 41.2 s`: a return taken apart into the points and the time that `rules.outcome` made it of."""
    points = -(-value // TIME_RANGE)
    return f"{points // POINTS} solved, {seconds(points * TIME_RANGE - value)}"


def seconds(ms: int) -> str:
    """Tenths matter, since time breaks ties."""
    return f"{ms / 1_000:.1f} s"


def prompt(state: State, seat: int) -> str:
    """The puzzle and the answer format. Rivals' words are in none of it."""
    if state.puzzle is None:
        raise ValueError(f"seat {seat} owes no decision")
    return "\n".join(
        [
            f"Solve this puzzle ({state.round} of {state.params.rounds}).",
            "",
            question(state.puzzle),
            "",
            f"You have {state.params.limit_ms // 1000} seconds. Only the right answer, with nothing added to "
            "it, earns points; of equal scores the faster one wins.",
            "End with one line and nothing after it:",
            "answer: YOUR ANSWER",
        ]
    )
