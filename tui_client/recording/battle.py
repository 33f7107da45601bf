"""A rap battle, from the first verse to the ratings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

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
    Writing,
)
from tui_client.recording.cast import (
    EMBER,
    EPOCH,
    FROSTBITE,
    RAP,
    START_MS,
    decision,
    session_update,
)

TOPIC = "winter on the block"
VERSES = (
    "I freeze the block till the hydrants lock,\n"
    "your pilot light died at nine o'clock,\n"
    "I roll in slow and the streets turn white,\n"
    "you brought a match to a blizzard fight.",
    "You talk about snow but you're only a breeze,\n"
    "I'm the stove in the kitchen, I loosen the freeze,\n"
    "you melt on the stage when I open the door,\n"
    "a puddle with a mic, getting mopped off the floor.",
    "Puddle? I'm a glacier, I carve out the street,\n"
    "ten thousand years and I don't feel the heat,\n"
    "your flow's a leak and the pipes will burst,\n"
    "I write in frost, read the last line first.",
    "Glaciers are shrinking, go check on the news,\n"
    "I'm lighting the fuse while you're singing the blues,\n"
    "you write it in frost? One breath and it's lost,\n"
    "I heat up the room and you pay what it cost.",
    "Breathe on the window, my name will remain,\n"
    "I'm under your door and I'm inside your pane,\n"
    "when the last ember dies and the ash turns gray\n"
    "I'm the cold on your neck that is here to stay.",
    "Ash is just soil for the green coming through,\n"
    "I burned and I built on whatever you blew,\n"
    "so bury the block, I've been under before:\n"
    "come spring they will find me, and you are no more.",
)

VERDICT = VerdictView(
    rubric="rap-battle/1",
    lines=[
        RubricLine(
            "flow",
            [7_500, 7_900],
            ["steady four-beat bars", "the triplet run on news, fuse, blues carries the round"],
        ),
        RubricLine(
            "wordplay", [8_300, 7_400], ["pane and pain in one breath", "soil from ash is neat"]
        ),
        RubricLine(
            "comeback", [6_400, 8_600], ["holds to its own image", "turns the glacier against him"]
        ),
        RubricLine(
            "topic",
            [8_600, 7_900],
            ["every bar is winter on that block", "brings the spring into it"],
        ),
    ],
    totals_milli=[7_700, 7_950],
    ranks=[2, 1],
    evidence=[
        Evidence(
            "rhyme factor",
            [412, 538],
            "mean vowels of the longest rhyme that each word ends (Malmi et al. 2016)",
        )
    ],
    judges=["SmolLM2-135M-Instruct"],
)


def rap_view(verses: int, **changes: Any) -> SessionView:
    """The battle after so many verses."""
    over = verses >= len(VERSES)
    view = SessionView(
        session=RAP,
        space="rap-battle",
        rules="rap-battle/1",
        status="live",
        opened_ms=START_MS - 48_000,
        seats=[FROSTBITE, EMBER],
        state={
            "topic": TOPIC,
            "rounds": 3,
            "bars": 4,
            "char_limit": 400,
            "round": min(3, verses // 2 + 1),
            "verses": [
                {"round": at // 2 + 1, "seat": at % 2, "text": text}
                for at, text in enumerate(VERSES[:verses])
            ],
            "phase": "over" if over else "verse",
        },
        headline=f"round {min(3, verses // 2 + 1)}/3, {(FROSTBITE, EMBER)[verses % 2].name}: {TOPIC}",
        turn=verses + 1,
        decisions=[] if over else [decision(verses % 2, "verse", 21_000)],
    )
    return msgspec.structs.replace(view, **changes)


def rap_start(verses: int = 0) -> list[ServerMessage]:
    """Joining the battle after so many verses."""
    channel = f"session:{RAP}"
    return [
        Snapshot(channel, EPOCH, 1 + 2 * verses, rap_view(verses)),
        Watching(channel, 48),
    ]


def rap_writing(verse: int, characters: int, piece: int = 12) -> Iterator[Writing]:
    """A verse as it is being written, in pieces, up to a number of characters."""
    text = VERSES[verse][:characters]
    for at in range(0, len(text), piece):
        yield Writing(f"session:{RAP}", verse % 2, verse + 1, at, text[at : at + piece])


def rap_verse(verse: int) -> Update:
    """A verse is in: its action and the next turn."""
    offset = 2 + 2 * verse
    body = {"turn": verse + 1, "kind": "verse", "action": {"text": VERSES[verse]}}
    events = [
        Event(offset, 1_000 * offset, "action", f"seat:{verse % 2}", body),
        Event(offset + 1, 1_000 * offset, "turn", "host", {"turn": verse + 2, "decisions": []}),
    ]
    return session_update(RAP, offset + 1, events, rap_view(verse + 1))


def rap_ending() -> list[ServerMessage]:
    """The last verse, the seal, the verdict and the ratings."""
    last = len(VERSES) - 1
    offset = 2 + 2 * last
    body = {"turn": last + 1, "kind": "verse", "action": {"text": VERSES[last]}}
    over: dict[str, Any] = {
        "status": "ended",
        "outcome": {"termination": "complete", "returns": None},
        "decisions": [],
    }
    digest = "5f0c9a77d1e24b3f8a6c0d9e1b2f3a4c5d6e7f8091a2b3c4d5e6f70811223344"
    judging = [Step("sealed", "done"), Step("judged", "running"), Step("rated", "waiting")]
    done = [Step("sealed", "done"), Step("judged", "done"), Step("rated", "done")]
    sealed = rap_view(6, **over, digest=digest, steps=judging)
    judged = rap_view(6, **over, digest=digest, verdict=VERDICT, steps=done)
    return [
        session_update(
            RAP,
            offset + 1,
            [
                Event(offset, 64_000, "action", "seat:1", body),
                Event(offset + 1, 64_000, "end", "host", over["outcome"]),
            ],
            rap_view(6, **over),
        ),
        session_update(
            RAP,
            offset + 2,
            [Event(offset + 2, 64_100, "digest", "host", {"digest": digest})],
            sealed,
        ),
        session_update(
            RAP, offset + 3, [Event(offset + 3, 71_000, "verdict", "judge", {})], judged
        ),
        session_update(RAP, offset + 4, [Event(offset + 4, 71_200, "rated", "host", {})], judged),
    ]
