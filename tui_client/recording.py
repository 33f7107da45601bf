"""A recorded hour of an arena, as the messages that a gateway sends: for pictures and tests.

The sessions are made up, the messages are not: they are what `server.protocol` says, event by
event, and the pictures in the README come from folding them like any others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from server.protocol import (
    BoardRow,
    BoardView,
    Event,
    Evidence,
    LobbyView,
    OpenDecision,
    QueueCard,
    RubricLine,
    SeatCard,
    ServerMessage,
    SessionCard,
    SessionView,
    Snapshot,
    Step,
    Update,
    VerdictView,
    Watching,
    Welcome,
    Writing,
)

START_MS = 1_790_000_000_000
EPOCH = "e1"
RAP = "01KRAPBATTLE00000000000001"
BOARD = "01KBIDTACTOE00000000000001"

FROSTBITE = SeatCard(0, "agent-frostbite", "Frostbite", "v3", 27_300)
EMBER = SeatCard(1, "agent-ember", "Ember", "v1", 26_900)
SOLVER = SeatCard(0, "agent-solver", "Solver", "v2", 31_400)
GREEDY = SeatCard(1, "agent-greedy", "Greedy", "v7", 24_800)

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
    evidence=[Evidence("rhyme factor", [412, 538], "longest matching vowel runs a word")],
    judges=["SmolLM2-135M-Instruct"],
)


def welcome() -> Welcome:
    return Welcome("c1", None, START_MS, 20)


def _decision(seat: int, kind: str, left_ms: int, done: bool = False) -> OpenDecision:
    return OpenDecision(seat, kind, START_MS + left_ms, done=done)


# --------------------------------------------------------------------------- rap battle


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
        headline=f"round {min(3, verses // 2 + 1)}/3, seat {verses % 2}: {TOPIC}",
        turn=verses + 1,
        decisions=[] if over else [_decision(verses % 2, "verse", 21_000)],
    )
    return msgspec.structs.replace(view, **changes)


def _update(session: str, offset: int, events: list[Event], view: SessionView) -> Update:
    return Update(f"session:{session}", EPOCH, offset, events, view)


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
    return _update(RAP, offset + 1, events, rap_view(verse + 1))


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
        _update(
            RAP,
            offset + 1,
            [
                Event(offset, 64_000, "action", "seat:1", body),
                Event(offset + 1, 64_000, "end", "host", over["outcome"]),
            ],
            rap_view(6, **over),
        ),
        _update(
            RAP,
            offset + 2,
            [Event(offset + 2, 64_100, "digest", "host", {"digest": digest})],
            sealed,
        ),
        _update(RAP, offset + 3, [Event(offset + 3, 71_000, "verdict", "judge", {})], judged),
        _update(RAP, offset + 4, [Event(offset + 4, 71_200, "rated", "host", {})], judged),
    ]


# --------------------------------------------------------------------------- bid tac toe

AUCTIONS: tuple[tuple[tuple[int, int], int, str | None, int], ...] = (
    ((17, 17), 0, "coin", 4),
    ((11, 19), 1, None, 0),
    ((22, 9), 0, None, 2),
    ((14, 24), 1, None, 6),
    ((8, 12), 1, None, 3),
)
"""Bids, winner, tie, cell. Five auctions: O holds the left column."""


def board_view(auctions: int, bids_in: tuple[bool, bool] = (False, False)) -> SessionView:
    """The game after so many auctions, with the bids of the next that are in."""
    board, chips = [*"........."], [100, 100]
    log = []
    for ply, (bids, winner, tie, cell) in enumerate(AUCTIONS[:auctions]):
        board[cell] = "XO"[winner]
        chips = [have - bid for have, bid in zip(chips, bids, strict=True)]
        log.append({"ply": ply, "bids": list(bids), "winner": winner, "tie": tie, "cell": cell})
    over = auctions == len(AUCTIONS)
    state = {
        "board": "".join(board),
        "chips": chips,
        "ply": auctions,
        "phase": "over" if over else "bid",
        "bids_in": list(bids_in),
        "bid_winner": None,
        "payment": "all-pay",
        "ties": "coin",
        "decided_by": "money",
        "start_chips": 100,
        "advantage": None,
        "log": log,
        "line": [0, 3, 6] if over else None,
        "winner": 1 if over else None,
    }
    turn = 1 + 2 * auctions
    open_ones = [_decision(seat, "bid", 17_000, done=bids_in[seat]) for seat in (0, 1)]
    return SessionView(
        session=BOARD,
        space="bid-tac-toe",
        rules="bid-tac-toe/1",
        status="ended" if over else "live",
        opened_ms=START_MS - 95_000,
        seats=[SOLVER, GREEDY],
        state=state,
        headline=f"mark {auctions + 1}/9, bidding, X {chips[0]} : {chips[1]} O",
        turn=turn,
        decisions=[] if over else open_ones,
        outcome={"termination": "line", "returns": [-1, 1]} if over else None,
        steps=[Step("sealed", "done"), Step("rated", "waiting")] if over else [],
    )


def board_start() -> list[ServerMessage]:
    channel = f"session:{BOARD}"
    return [Snapshot(channel, EPOCH, 1, board_view(0)), Watching(channel, 31)]


def board_auction(number: int) -> list[Update]:
    """One auction: the first bid sealed, then both turned over and the mark made."""
    bids, winner, _, cell = AUCTIONS[number]
    first = 2 + 6 * number
    turn = 1 + 2 * number
    at = 9_000 * (number + 1)
    revealed = [{"seat": seat, "action": {"bid": bid}} for seat, bid in enumerate(bids)]
    mark = {"turn": turn + 1, "kind": "mark", "action": {"cell": cell}}
    ended = Event(first + 5, at, "end", "host", {"termination": "line", "returns": [-1, 1]})
    going = Event(first + 5, at, "turn", "host", {"turn": turn + 2, "decisions": []})
    return [
        _update(
            BOARD,
            first,
            [Event(first, at - 4_000, "sealed", "seat:1")],
            board_view(number, (False, True)),
        ),
        _update(
            BOARD,
            first + 5,
            [
                Event(first + 1, at, "sealed", "seat:0"),
                Event(first + 2, at, "reveal", "host", {"turn": turn, "actions": revealed}),
                Event(first + 3, at, "turn", "host", {"turn": turn + 1, "decisions": []}),
                Event(first + 4, at, "action", f"seat:{winner}", mark),
                ended if number + 1 == len(AUCTIONS) else going,
            ],
            board_view(number + 1),
        ),
    ]


# --------------------------------------------------------------------------- lobby


def _card(number: int, space: str, seats: list[SeatCard], headline: str, age_s: int, watching: int = 0) -> SessionCard:  # fmt: skip
    session = {"Frostbite": RAP, "Solver": BOARD}.get(seats[0].name, f"01KOTHER{number:018d}")
    return SessionCard(session, space, seats, headline, START_MS - age_s * 1_000, 0, watching)


def _pair(first: str, second: str) -> list[SeatCard]:
    return [SeatCard(0, f"a-{first}", first, "v1"), SeatCard(1, f"a-{second}", second, "v1")]


def lobby() -> LobbyView:
    rap, board = "rap-battle", "bid-tac-toe"
    ended = [
        _card(11, rap, _pair("Nova", "Quill"), "3 rounds, complete: chess in the park", 130),
        _card(12, board, _pair("Greedy", "Tortoise"), "O wins (line), X 12 : 31 O", 190),
        _card(13, board, _pair("Hawk", "Dove"), "X wins (board-full), X 9 : 4 O", 240),
        _card(14, rap, _pair("Marrow", "Nova"), "3 rounds, complete: rent day", 310),
        _card(15, board, _pair("Solver", "Hawk"), "draw (board-full), X 7 : 7 O", 420),
    ]
    live = [
        _card(1, rap, [FROSTBITE, EMBER], f"round 3/3, seat 1: {TOPIC}", 48, 48),
        _card(2, board, [SOLVER, GREEDY], "mark 5/9, bidding, X 36 : 31 O", 95, 31),
        _card(3, board, _pair("Hawk", "Tortoise"), "mark 2/9, X to mark, X 83 : 88 O", 21, 4),
        _card(4, rap, _pair("Marrow", "Quill"), "round 1/3, seat 0: the last train home", 12, 9),
        _card(5, board, _pair("Dove", "Pinch"), "mark 7/9, bidding, X 18 : 22 O", 140, 2),
    ]
    queues = [QueueCard(board, 0, 3, 2), QueueCard(rap, 0, 1, 14)]
    done = [msgspec.structs.replace(card, status="ended") for card in ended]
    return LobbyView(live, done, queues, live_count=12, watching=340)


def standings() -> BoardView:
    rows = [
        ("Ember", 31_200, 1_100, 212, 131, False, 2),
        ("Frostbite", 30_700, 900, 240, 142, False, 0),
        ("Quill", 28_900, 1_400, 96, 51, False, -1),
        ("Marrow", 27_400, 1_300, 118, 55, False, 0),
        ("Hushpuppy", 26_100, 1_200, 141, 60, False, 1),
        ("Sable", 25_300, 1_600, 77, 30, False, -1),
        ("Nova", 25_000, 6_800, 4, 2, True, 0),
    ]
    return BoardView(
        "rap-battle",
        [
            BoardRow(at, f"a-{name}", name, "v1", mu, sigma, played, wins, new, moved)
            for at, (name, mu, sigma, played, wins, new, moved) in enumerate(rows, 1)
        ],
    )


def lobby_start() -> list[ServerMessage]:
    return [
        welcome(),
        Snapshot("lobby", EPOCH, 7, lobby()),
        Snapshot("leaderboard:rap-battle", EPOCH, 3, standings()),
    ]
