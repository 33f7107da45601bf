"""The live board: who moved, told once, to everybody who watches."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from server import board as boards
from server.board import FRESH_MS, Move
from server.live.boards import publish_board, shown_board
from server.live.log import LiveLog, Moved
from server.protocol import BoardRow, BoardView

CHANNEL = "leaderboard:rap-battle"


def board(*names: str, mu: int = 25_000) -> BoardView:
    rows = [
        BoardRow(place, name, name.title(), f"{name}@v1", mu - place, 2_000, 20)
        for place, name in enumerate(names, 1)
    ]
    return BoardView("rap-battle", rows)


def moved(view: BoardView) -> dict[str, int]:
    return {row.agent: row.moved for row in view.rows}


def test_a_first_board_is_no_news() -> None:
    assert boards.moves(None, board("ann", "bo")) == []
    assert boards.follow(None, board("ann", "bo"), 0) == board("ann", "bo")


def test_who_rises_falls_comes_and_goes_is_told() -> None:
    was, now = board("ann", "bo", "cy"), board("cy", "ann", "dee")
    assert boards.moves(was, now) == [
        Move("cy@v1", "cy", "Cy", 3, 1),
        Move("ann@v1", "ann", "Ann", 1, 2),
        Move("dee@v1", "dee", "Dee", None, 3),
        Move("bo@v1", "bo", "Bo", 2, None),
    ]
    assert moved(boards.follow(was, now, 5)) == {"cy": 2, "ann": -1, "dee": 0}


def test_moves_add_up_while_they_are_fresh_and_are_forgotten_after() -> None:
    shown = boards.follow(board("ann", "bo", "cy"), board("cy", "ann", "bo"), 1_000)
    assert moved(shown) == {"cy": 2, "ann": -1, "bo": -1}
    shown = boards.follow(shown, board("ann", "cy", "bo"), 1_000 + FRESH_MS - 1)
    assert moved(shown) == {"ann": 0, "cy": 1, "bo": -1}
    assert [row.moved_ms for row in shown.rows] == [0, 1_000, 1_000]
    shown = boards.follow(shown, board("ann", "cy", "bo"), 1_000 + FRESH_MS)
    assert moved(shown) == {"ann": 0, "cy": 0, "bo": 0}


def test_an_arrow_that_fades_is_nothing_to_publish() -> None:
    shown = boards.follow(board("ann", "bo"), board("bo", "ann"), 5)
    assert not boards.differs(shown, board("bo", "ann"))
    assert boards.differs(shown, board("bo", "ann", mu=26_000))
    assert boards.differs(None, board())


async def test_each_move_is_told_once_whoever_publishes(redis: Redis) -> None:
    log = LiveLog(redis)
    assert await publish_board(log, board("ann", "bo"), now_ms=1)
    assert await publish_board(log, board("bo", "ann"), now_ms=2)
    assert not await publish_board(log, board("bo", "ann"), now_ms=3), "nothing new"
    assert await publish_board(log, board("bo", "ann", mu=26_000), now_ms=4)
    assert await publish_board(log, board("bo", "ann", mu=26_000), now_ms=5, repeat=True)
    first, second, third, fourth = await log.read(CHANNEL, 0, 10)
    assert (first.body, third.body, fourth.body) == ({}, {}, {})
    assert second.type == "changed"
    assert second.body == {
        "moves": [
            {"version": "bo@v1", "agent": "bo", "name": "Bo", "was": 2, "rank": 1},
            {"version": "ann@v1", "agent": "ann", "name": "Ann", "was": 1, "rank": 2},
        ]
    }
    view = shown_board(await log.head(CHANNEL))
    assert view is not None
    assert moved(view) == {"bo": 1, "ann": -1}


async def test_of_two_publishers_the_slower_reads_again(redis: Redis) -> None:
    class Slow(LiveLog):
        """Another one publishes between its look and its word."""

        async def head(self, channel: str):  # type: ignore[no-untyped-def]
            head = await super().head(channel)
            await publish_board(LiveLog(redis), board("bo", "ann"), now_ms=1)
            return head

    with pytest.raises(Moved):
        await publish_board(Slow(redis), board("ann", "bo"), now_ms=1)
    assert len(await LiveLog(redis).read(CHANNEL, 0, 10)) == 1
