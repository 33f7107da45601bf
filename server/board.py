"""The live board of a Space from one publication to the next: who went from which place to which. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from server.protocol import BoardRow, BoardView

FRESH_MS = 60_000
"""How long a row goes on telling that it moved. Within it moves add up: two up and one down is one up."""


class Move(msgspec.Struct, frozen=True, omit_defaults=True):
    """One row's change of place, in the body of the channel's event `changed`."""

    version: str
    agent: str
    name: str
    was: int | None = None
    """The place before; left out for who was not on the board."""
    rank: int | None = None
    """The place now; left out for who is no longer on it."""


def follow(shown: BoardView | None, board: BoardView, now_ms: int) -> BoardView:
    """The board as it is to be shown after `shown`: its rows say how far they moved a moment ago."""
    before = {} if shown is None else {row.version: row for row in shown.rows}
    rows = [_after(before.get(row.version), row, now_ms) for row in board.rows]
    return BoardView(board.space, rows)


def _after(before: BoardRow | None, row: BoardRow, now_ms: int) -> BoardRow:
    if before is None:
        return row
    fresh = bool(before.moved) and now_ms - before.moved_ms < FRESH_MS
    moved = (before.moved if fresh else 0) + before.rank - row.rank
    since_ms = before.moved_ms if fresh else now_ms
    return msgspec.structs.replace(row, moved=moved, moved_ms=since_ms if moved else 0)


def moves(shown: BoardView | None, board: BoardView) -> list[Move]:
    """Who is on another place than on the board shown before, by the new place; who left it comes last.

    Nobody where there was none before: a first board is no news.
    """
    if shown is None:
        return []
    was = {row.version: row.rank for row in shown.rows}
    stay = {row.version for row in board.rows}
    return [
        Move(row.version, row.agent, row.name, was.get(row.version), row.rank)
        for row in board.rows
        if was.get(row.version) != row.rank
    ] + [
        Move(row.version, row.agent, row.name, row.rank)
        for row in shown.rows
        if row.version not in stay
    ]


def differs(shown: BoardView | None, board: BoardView) -> bool:
    """Whether there is anything to publish: the rows say something new, beside how long ago they moved."""
    return shown is None or _still(shown) != _still(board)


def _still(board: BoardView) -> list[BoardRow]:
    return [msgspec.structs.replace(row, moved=0, moved_ms=0) for row in board.rows]


def body(news: list[Move]) -> dict[str, Any]:
    """The event's body; empty where nobody moved, e.g. when only ratings did."""
    return {"moves": msgspec.to_builtins(news)} if news else {}
