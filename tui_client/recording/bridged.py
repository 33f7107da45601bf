"""Games of other projects, which have no view of their own: one that shows a position, one that talks."""

from __future__ import annotations

from typing import Any

from server.protocol import Event, SeatCard, ServerMessage, SessionView, Snapshot, Watching
from tui_client.recording.cast import EPOCH, START_MS, decision, session_update

POSITION = "01KOPENSPIEL00000000000001"
TALK = "01KTEXTARENA00000000000001"
HAWK = SeatCard(0, "agent-hawk", "Hawk", "v5", 26_700)
NOVA = SeatCard(1, "agent-nova", "Nova", "v1", 25_100)

MOVES = ("c7d6", "g2g3", "g7h6", "a2b3", "d6e5", "b3c4", "e5d4", "c4c5", "d4c3")
BREAKTHROUGH = (
    "8bbbbbbbb\n"
    "7bb.bbb.b\n"
    "6.......b\n"
    "5..w.....\n"
    "4........\n"
    "3..b...w.\n"
    "2.wwwww.w\n"
    "1wwwwwwww\n"
    " abcdefgh"
)


def _said(moves: int) -> list[list[str]]:
    """What a game of noughts and crosses tells everybody."""
    cells = [str(cell) for cell in range(9)]
    told = [["Game", _drawn(cells)]]
    for number, cell in enumerate((4, 0, 8, 2, 1)[:moves]):
        seat, sign = number % 2, "OX"[number % 2]
        cells[cell] = sign
        told += [
            [f"Player {seat}", f"I take [{cell}]"],
            ["Game", f"Player {seat} placed their symbol ({sign}) in cell {cell}."],
            ["Game", _drawn(cells)],
        ]
    return told


def _drawn(cells: list[str]) -> str:
    rows = [" " + " | ".join(cells[at : at + 3]) for at in (0, 3, 6)]
    free = ", ".join(f"'[{cell}]'" for cell in cells if cell.isdecimal())
    return "Current Board:\n\n" + "\n---+---+---\n".join(rows) + f"\n\nAvailable Moves: {free}"


def _view(session: str, space: str, state: dict[str, Any], acting: int) -> SessionView:
    plies = state["plies"]
    return SessionView(
        session=session,
        space=space,
        rules=f"{space}/1",
        status="live",
        opened_ms=START_MS - 40_000,
        seats=[HAWK, NOVA],
        state=state | {"to_act": [acting], "returns_milli": None, "termination": None},
        headline=f"move {plies + 1}, player {acting} to act",
        turn=plies + 1,
        decisions=[decision(acting, "move", 24_000)],
    )


def position_view() -> SessionView:
    """Nine moves into Breakthrough: the whole position, since nothing in it is hidden."""
    state = {
        "game": "breakthrough",
        "title": "Breakthrough",
        "seats": 2,
        "plies": len(MOVES),
        "moves": [[at % 2, move] for at, move in enumerate(MOVES)],
        "position": BREAKTHROUGH,
    }
    return _view(POSITION, "openspiel:breakthrough", state, 1)


def talk_view() -> SessionView:
    state = {
        "game": "TicTacToe-v0",
        "plies": 5,
        "answers_in": [False, False],
        "told": _said(5),
        "reason": None,
    }
    return _view(TALK, "textarena:tictactoe-v0", state, 1)


def _start(view: SessionView) -> list[ServerMessage]:
    channel = f"session:{view.session}"
    acted = Event(12, 30_000, "turn", "host", {"turn": view.turn, "decisions": []})
    return [
        Snapshot(channel, EPOCH, 11, view),
        session_update(view.session, 12, [acted], view),
        Watching(channel, 6),
    ]


def position_start() -> list[ServerMessage]:
    return _start(position_view())


def talk_start() -> list[ServerMessage]:
    return _start(talk_view())
