"""A session of Writing: five poems on one brief, and the verdict over them."""

from __future__ import annotations

from typing import Any

from server.protocol import (
    Event,
    Evidence,
    RubricLine,
    ServerMessage,
    SessionView,
    Snapshot,
    Step,
    Update,
    VerdictView,
    Watching,
)
from tui_client.recording.cast import EPOCH, FIVE, START_MS, decision, session_update

TEXTS = "01KWRITING0000000000000001"
SUBJECT = "the last bakery on the street"
POINTS: tuple[dict[str, Any], ...] = (
    {"is": "lines", "count": 6, "says": "has exactly 6 lines"},
    {"is": "mention", "word": "window", "says": 'uses the word "window"'},
    {"is": "avoid", "words": ["warm", "love"], "says": 'does not use "warm" or "love"'},
    {"is": "ends", "mark": "?", "says": "ends with a question"},
)
POEMS: tuple[str | None, ...] = (
    "At four the only window lit\n"
    "is his. The bank became a gym,\n"
    "the gym a hole. He looks at it\n"
    "and weighs the flour. Nobody told him\n"
    "the street had ended. Rolls in rows:\n"
    "who eats them, when the last one goes?",
    "The last bakery on the street\n"
    "is warm and smells of something sweet,\n"
    "the window full of bread to eat,\n"
    "the baker on his tired feet,\n"
    "a place where all the neighbours meet,\n"
    "and isn't that a lovely treat?",
    None,
    "He sells me Tuesday's loaf for free.\n"
    '"It is Thursday," I say.\n'
    '"So it is," he says, and we\n'
    "both look out of the window: grey\n"
    "shutters, like a row of closed eyes.\n"
    "Who wakes them up if no dough will rise?",
    "Flour. Water. Salt. And time.\n"
    "The street has lost its other names.\n"
    "I read them in the window's grime:\n"
    "a cobbler's, Kurz and Sons, Clocks, Frames.\n"
    "The oven ticks, the only clock.",
)
MET: tuple[tuple[bool, ...] | None, ...] = (
    (True, True, True, True),
    (True, True, False, True),
    None,
    (True, True, True, True),
    (False, True, True, False),
)

VERDICT_OF_TEXTS = VerdictView(
    rubric="writing/1",
    lines=[
        RubricLine(
            "brief",
            [8_600, 6_900, 0, 8_400, 4_100],
            [
                "six lines, the window, and a question that stays",
                "uses a word that was ruled out",
                "there is no text",
                "does all that was asked without showing the effort",
                "a line is missing and it does not ask anything",
            ],
        ),
        RubricLine(
            "craft",
            [6_900, 4_800, 0, 7_700, 7_900],
            ["the rhyme on 'told him' is forced", "one rhyme carried to the end", "",
             "speech that sits in the metre", "spare, and it ticks"],
        ),
        RubricLine(
            "freshness",
            [8_300, 3_200, 0, 8_900, 7_400],
            ["the bank became a gym, the gym a hole", "stock phrases of every bakery", "",
             "Tuesday's loaf on a Thursday says all of it", "the names in the grime"],
        ),
        RubricLine(
            "effect",
            [7_600, 4_000, 0, 8_500, 7_000],
            ["ends on bread and on loss at once", "cosy", "", "one smiles, then one does not",
             "quiet"],
        ),
    ],
    totals_milli=[8_000, 5_160, 0, 8_380, 6_100],
    ranks=[2, 4, 5, 1, 3],
    evidence=[
        *(
            Evidence(
                point["says"],
                [1_000 if met and met[at] else 0 for met in MET],
                "1 where the text does, by program; the judges were told",
            )
            for at, point in enumerate(POINTS)
        ),
        Evidence("words", [38_000, 36_000, 0, 37_000, 28_000], "how many"),
        Evidence(
            "like a rival's",
            [0, 61, 0, 61, 0],
            "share of three-word runs that the most similar other text has, too",
        ),
    ],
    judges=["SmolLM2-135M-Instruct"],
)  # fmt: skip


def _text(seat: int, answered: tuple[int, ...], *, over: bool) -> dict[str, Any]:
    text, met = POEMS[seat], MET[seat]
    state = "writing" if seat not in answered else "forfeited" if text is None else "in"
    return {
        "seat": seat,
        "state": state,
        "text": text if over else None,
        "met": list(met) if over and met else None,
    }


def writing_view(answered: tuple[int, ...], **changes: Any) -> SessionView:
    """The session with the texts of so many seats in; all are turned over with the last one."""
    over = len(answered) == len(POEMS)
    shown: dict[str, Any] = {
        "session": TEXTS,
        "space": "writing",
        "rules": "writing/1",
        "status": "ended" if over else "live",
        "opened_ms": START_MS - 61_000,
        "seats": FIVE,
        "state": {
            "form": "poem",
            "subject": SUBJECT,
            "task": f"Write a poem about {SUBJECT}",
            "constraints": list(POINTS),
            "char_limit": 600,
            "phase": "over" if over else "write",
            "texts": [_text(seat, answered, over=over) for seat in range(5)],
        },
        "headline": f"{len(answered)}/5 in, poem: {SUBJECT}",
        "turn": 1,
        "decisions": [
            decision(seat, "text", 74_000, done=seat in answered) for seat in range(5) if not over
        ],
        "outcome": {"termination": "complete", "returns": None} if over else None,
    }
    return SessionView(**shown | changes)


def writing_start() -> list[ServerMessage]:
    channel = f"session:{TEXTS}"
    return [Snapshot(channel, EPOCH, 1, writing_view(())), Watching(channel, 22)]


def _answer(seat: int) -> Event:
    if POEMS[seat] is None:
        return Event(2 + seat, 40_000, "forfeit", "host", {"turn": 1, "seat": seat})
    return Event(2 + seat, 9_000 * (seat + 1), "sealed", f"seat:{seat}")


def writing_sealed(seats: int) -> list[Update]:
    """So many seats, at most four, seal their texts, in their order."""
    return [
        session_update(TEXTS, 2 + seat, [_answer(seat)], writing_view(tuple(range(seat + 1))))
        for seat in range(seats)
    ]


def writing_ending(*, judged: bool = True) -> list[Update]:
    """The last text: all are turned over; then the judges read, and at last they have spoken."""
    over = {"termination": "complete", "returns": None}
    actions = [{"seat": seat, "action": {"text": text}} for seat, text in enumerate(POEMS) if text]
    everybody = tuple(range(5))
    judging = [Step("sealed", "done"), Step("judged", "running"), Step("rated", "waiting")]
    done = [Step("sealed", "done"), Step("judged", "done"), Step("rated", "waiting")]
    last = [
        _answer(4),
        Event(7, 45_000, "reveal", "host", {"turn": 1, "actions": actions}),
        Event(8, 45_000, "end", "host", over),
    ]
    verdict = session_update(
        TEXTS,
        9,
        [Event(9, 63_000, "verdict", "judge", {})],
        writing_view(everybody, verdict=VERDICT_OF_TEXTS, steps=done),
    )
    reading = session_update(TEXTS, 8, last, writing_view(everybody, steps=judging))
    return [reading, verdict] if judged else [reading]
