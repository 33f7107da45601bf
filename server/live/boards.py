"""The boards on their channels: published against what stands there, so that each move is told once."""

from __future__ import annotations

from server import board as boards
from server.identity import new_id
from server.live import keys
from server.live.agents import since_open
from server.live.log import Head, LiveLog
from server.live.records import LogEvent
from server.protocol import BoardView


async def publish_board(
    log: LiveLog, board: BoardView, *, now_ms: int, repeat: bool = False
) -> bool:
    """Put a Space's board on `leaderboard:{space}`, with what changed since the last one there. False
    where nothing did, unless it is to be repeated.

    Who moved is told against what stands in the channel, so several publishers tell each move once.
    Raises Moved when another was faster: read the board again.
    """
    channel = keys.board_channel(board.space)
    head = await log.head(channel)
    shown = shown_board(head)
    if not repeat and not boards.differs(shown, board):
        return False
    event = LogEvent(
        t=since_open(head, now_ms),
        by="host",
        type="changed",
        body=boards.body(boards.moves(shown, board)),
    )
    view = boards.follow(shown, board, now_ms)
    base = -1 if head is None else head.offset
    await log.publish(channel, new_id(), [event], view, keys.AGENT_TTL_S, base=base)
    return True


def shown_board(head: Head | None) -> BoardView | None:
    """The board that stands in a channel."""
    view = None if head is None or head.views is None else head.views.public
    return view if isinstance(view, BoardView) else None
