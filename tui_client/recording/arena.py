"""The lobby and the leaderboard around them."""

from __future__ import annotations

import msgspec

from server.protocol import (
    BoardRow,
    BoardView,
    LobbyView,
    QueueCard,
    SeatCard,
    ServerMessage,
    SessionCard,
    Snapshot,
    Welcome,
)
from tui_client.recording.battle import TOPIC
from tui_client.recording.cast import (
    BOARD,
    EMBER,
    EPOCH,
    FIVE,
    FROSTBITE,
    GREEDY,
    RAP,
    SOLVER,
    START_MS,
)


def welcome() -> Welcome:
    return Welcome("c1", None, START_MS, 20)


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
        _card(13, "logic", FIVE, "3 puzzles, medium, best 3000 points", 240),
        _card(14, rap, _pair("Marrow", "Nova"), "3 rounds, complete: rent day", 310),
        _card(15, board, _pair("Solver", "Hawk"), "draw (board-full), X 7 : 7 O", 420),
    ]
    live = [
        _card(1, rap, [FROSTBITE, EMBER], f"round 3/3, seat 1: {TOPIC}", 48, 48),
        _card(2, board, [SOLVER, GREEDY], "mark 5/9, bidding, X 36 : 31 O", 95, 31),
        _card(3, "writing", FIVE, "3/5 in, poem: the last bakery on the street", 21, 22),
        _card(4, rap, _pair("Marrow", "Quill"), "round 1/3, seat 0: the last train home", 12, 9),
        _card(5, board, _pair("Dove", "Pinch"), "mark 7/9, bidding, X 18 : 22 O", 140, 2),
    ]
    queues = [
        QueueCard(board, 0, 3, 2),
        QueueCard(rap, 0, 1, 14),
        QueueCard(board, 500_000, 0, 0),
        QueueCard("trade-wars", 25_000_000, 0, 0),
    ]
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
