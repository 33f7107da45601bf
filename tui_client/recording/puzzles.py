"""A session of Logic: three puzzles for five seats."""

from __future__ import annotations

from typing import Any, NamedTuple

from server.protocol import Event, ServerMessage, SessionView, Snapshot, Step, Update, Watching
from tui_client.recording.cast import EPOCH, FIVE, START_MS, decision, session_update

PUZZLES = "01KLOGIC000000000000000001"
LIMIT_MS = 60_000
ROUND_EVENTS = 8
"""Four answers on their own, the last one, the reveal, the scores, and the next turn or the end."""


class Asked(NamedTuple):
    """A puzzle with what everybody answered; None is a forfeit."""

    generator: str
    topic: str
    question: str
    solution: str
    answers: tuple[str | None, ...]
    scores: tuple[int, ...]
    times_ms: tuple[int, ...]


ASKED = (
    Asked(
        "number_sequence",
        "induction",
        "Find the next number of this sequence.\n7, 11, 18, 29, 47, 76, 123, ?",
        "199",
        ("199", "199", "188", "199", "170"),
        (1_000, 1_000, 0, 1_000, 0),
        (9_204, 15_731, LIMIT_MS, 7_350, LIMIT_MS),
    ),
    Asked(
        "word_sequence_reversal",
        "words",
        "Solve the following problem.\n\nProvide you answer as a comma-separated list of words with a "
        "space after the comma.\n\nReverse this list of words: lantern, harbour, thistle, copper, "
        "winter, sparrow",
        "sparrow, winter, copper, thistle, harbour, lantern",
        (
            "sparrow, winter, copper, thistle, harbour, lantern",
            None,
            "sparrow, winter, copper, thistle, harbor, lantern",
            "sparrow, winter, copper, thistle, harbour, lantern",
            "lantern, harbour, thistle, copper, winter, sparrow",
        ),
        (1_000, 0, 0, 1_000, 0),
        (12_880, LIMIT_MS, LIMIT_MS, 19_045, LIMIT_MS),
    ),
    Asked(
        "shortest_path",
        "paths",
        "Your task is to find the shortest path from the start to the destination point in a grid.\n\n"
        "The grid is represented as a matrix with the following types of cells:\n"
        "- *: your starting point\n- #: your destination point\n- O: an open cell\n"
        "- X: a blocked cell\n\n"
        'If there is no path from * to #, simply write "infeasible" (without quotes).\n\n'
        "Your output should be a sequence of directions that leads from * to #, "
        "e.g. right right down down up left\n\n"
        "Now, find the shortest path from * to # in the following grid:\n"
        "    O O # O X\n    O O O O O\n    * X O O O\n    O X O X O\n    X X X O O",
        "up up right right",
        ("up up right right", "up right right up", "infeasible", "up right up right", None),
        (1_000, 1_000, 0, 1_000, 0),
        (22_300, 31_990, LIMIT_MS, 18_204, LIMIT_MS),
    ),
)


def _shown(number: int) -> dict[str, Any]:
    asked = ASKED[number]
    return {
        "round": number + 1,
        "topic": asked.topic,
        "generator": asked.generator,
        "question": asked.question,
    }


def _past(number: int) -> dict[str, Any]:
    asked = ASKED[number]
    return {
        **_shown(number),
        "solution": asked.solution,
        "answers": list(asked.answers),
        "scores": list(asked.scores),
        "times_ms": list(asked.times_ms),
    }


def logic_view(rounds: int, answered: tuple[int, ...] = ()) -> SessionView:
    """After so many rounds; the seats in `answered` have sealed their answer to the open puzzle."""
    over = rounds == len(ASKED)
    past = ASKED[:rounds]
    points = [sum(asked.scores[seat] for asked in past) for seat in range(5)]
    times_ms = [sum(asked.times_ms[seat] for asked in past) for seat in range(5)]
    order = [(-each, spent) for each, spent in zip(points, times_ms, strict=True)]
    answers_in = [seat in answered and not over for seat in range(5)]
    return SessionView(
        session=PUZZLES,
        space="logic",
        rules="logic/1",
        status="ended" if over else "live",
        opened_ms=START_MS - 80_000,
        seats=FIVE,
        state={
            "phase": "over" if over else "answer",
            "round": min(rounds + 1, len(ASKED)),
            "rounds": len(ASKED),
            "level": "medium",
            "limit_ms": LIMIT_MS,
            "puzzle": None if over else _shown(rounds),
            "answers_in": answers_in,
            "points": points,
            "times_ms": times_ms,
            "ranks": [1 + sum(other < mine for other in order) for mine in order],
            "log": [_past(number) for number in range(rounds)],
        },
        headline=f"puzzle {min(rounds + 1, 3)}/3, shortest_path, medium, {len(answered)} of 5 answers in",
        turn=rounds + 1,
        decisions=[]
        if over
        else [decision(seat, "answer", 37_000, done=answers_in[seat]) for seat in range(5)],
        outcome={
            "termination": "complete",
            "returns": [
                mine * 10_000_000 - spent for mine, spent in zip(points, times_ms, strict=True)
            ],
        }
        if over
        else None,
        steps=[Step("sealed", "done"), Step("rated", "waiting")] if over else [],
    )


def logic_start(rounds: int = 0) -> list[ServerMessage]:
    channel = f"session:{PUZZLES}"
    return [
        Snapshot(channel, EPOCH, 1 + ROUND_EVENTS * rounds, logic_view(rounds)),
        Watching(channel, 17),
    ]


def _answer(offset: int, rounds: int, seat: int) -> Event:
    if ASKED[rounds].answers[seat] is None:
        return Event(offset, 1_000 * offset, "forfeit", "host", {"turn": rounds + 1, "seat": seat})
    return Event(offset, 1_000 * offset, "sealed", f"seat:{seat}")


def logic_answers(rounds: int, seats: tuple[int, ...]) -> list[Update]:
    """At most four seats seal their answers to the open puzzle, in this order; who has none gives up."""
    updates = []
    for at, seat in enumerate(seats):
        offset = 2 + ROUND_EVENTS * rounds + at
        view = logic_view(rounds, seats[: at + 1])
        updates.append(session_update(PUZZLES, offset, [_answer(offset, rounds, seat)], view))
    return updates


def logic_reveal(rounds: int, last: int) -> Update:
    """The last answer of a round: all are turned over, and the next puzzle is on."""
    asked = ASKED[rounds]
    first = 6 + ROUND_EVENTS * rounds
    actions = [
        {"seat": seat, "action": {"text": text}}
        for seat, text in enumerate(asked.answers)
        if text is not None
    ]
    scored = {"kind": "scores", "body": {"round": rounds + 1, "scores": list(asked.scores)}}
    view, at = logic_view(rounds + 1), 1_000 * first
    over = Event(first + 3, at, "end", "host", view.outcome or {})
    events = [
        _answer(first, rounds, last),
        Event(first + 1, at, "reveal", "host", {"turn": rounds + 1, "actions": actions}),
        Event(first + 2, at, "note", "host", scored),
        over if view.outcome else Event(first + 3, at, "turn", "host", {"turn": rounds + 2}),
    ]
    return session_update(PUZZLES, first + 3, events, view)
