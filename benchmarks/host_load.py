"""The other side of the host benchmark, in a process of its own: bots for thousands of sessions.

`python -m benchmarks.host_load URL SESSIONS`. Keeps that many sessions of Bid Tac Toe live (a sealed
one is replaced at once) and answers every decision after a think time of THINK_S. No bot makes a line
if it can help it, so most sessions fill the board: 27 actions in half a minute. It follows the feed as
a gateway does, but decodes of it only what a bot needs, since it shares the machine with the host.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import random
import sys
from typing import Any

import msgspec
import uvloop
from redis.asyncio import Redis

from server.clock import unix_ms
from server.identity import new_id
from server.live import keys
from server.live.connection import apart, open_redis
from server.live.log import LiveLog
from server.live.records import Inbound, SeatRecord, SessionRecord
from server.match import initial_views, open_event
from spaces.bid_tac_toe.state import LINES

THINK_S = (0.7, 1.9)
"""A turn of two bids and a turn of one mark together take 3 s, so a session has 1 action a second."""
HOST = "bench"
STEP_S = 0.01
OPEN_AT_ONCE = 32


class Slim(msgspec.Struct):
    """Of a log event, what a bot needs."""

    type: str
    body: dict[str, Any] = {}


class Item(msgspec.Struct):
    """Of a feed item, what a bot needs; the views are skipped."""

    channel: str = ""
    events: list[Slim] = []


class Load:
    """All bots together."""

    def __init__(self, redis: Redis, sessions: int) -> None:
        self._redis = redis
        self._log = LiveLog(redis)
        self._missing = sessions
        self._due: list[tuple[float, Inbound]] = []
        self._serial = 0
        self._boards: dict[str, list[int | None]] = {}
        """Who has marked which cell, by session."""
        self._turn: dict[str, int] = {}
        """Last turn seen by session; a turn that is told again is answered already."""
        self._decode = msgspec.msgpack.Decoder(Item).decode
        self._encode = msgspec.msgpack.Encoder().encode
        self._rng = random.Random(7)

    async def follow(self) -> None:
        reader = apart(self._redis)
        at: dict[Any, Any] = {keys.feed(n): b"0-0" for n in range(keys.SHARDS)}
        while True:
            for name, rows in await reader.xread(at, count=1_000, block=1_000):
                at[name.decode()] = rows[-1][0]
                for _, fields in rows:
                    item = self._decode(fields[b"i"])
                    session = item.channel.removeprefix("session:")
                    for event in item.events:
                        self._take(session, event)
            # Like any tailing reader: many items a read instead of many reads.
            await asyncio.sleep(STEP_S)

    def _take(self, session: str, event: Slim) -> None:
        match event.type:
            case "turn" if event.body["turn"] > self._turn.get(session, 0):
                self._turn[session] = event.body["turn"]
                for decision in event.body["decisions"]:
                    self._think(session, event.body["turn"], decision)
            case "digest":
                self._missing += 1
                del self._boards[session], self._turn[session]

    def _think(self, session: str, turn: int, decision: dict[str, Any]) -> None:
        if decision["kind"] == "bid":
            text = f"bid: {self._rng.randrange(4)}"
        else:
            text = f"cell: {self._mark(self._boards[session], decision['seat'])}"
        self._serial += 1
        act = f"a{self._serial}"
        inbound = Inbound(session, decision["seat"], act, turn, text, "gateway")
        at = asyncio.get_running_loop().time() + self._rng.uniform(*THINK_S)
        heapq.heappush(self._due, (at, inbound))

    def _mark(self, board: list[int | None], seat: int) -> int:
        """A free cell that makes no line, if there is one."""

        def lines(cell: int) -> bool:
            return any(
                cell in line and all(board[c] == seat for c in line if c != cell) for line in LINES
            )

        free = [cell for cell, owner in enumerate(board) if owner is None]
        cell = self._rng.choice([cell for cell in free if not lines(cell)] or free)
        board[cell] = seat
        return cell

    async def act(self) -> None:
        """Submit what is due. One pipeline instead of one script each: the bots are not measured."""
        loop = asyncio.get_running_loop()
        while True:
            async with self._redis.pipeline(transaction=False) as pipeline:
                while self._due and self._due[0][0] <= loop.time():
                    inbound = heapq.heappop(self._due)[1]
                    shard = keys.shard(keys.session_channel(inbound.session))
                    pipeline.xadd(
                        keys.inbox(shard, HOST), {"m": self._encode(inbound)}, maxlen=4_096
                    )
                await pipeline.execute()
            await asyncio.sleep(STEP_S)

    async def open(self) -> None:
        while True:
            records = [self._record() for _ in range(min(self._missing, OPEN_AT_ONCE))]
            self._missing -= len(records)
            self._boards |= {each.session: [None] * 9 for each in records}
            await asyncio.gather(
                *(
                    self._log.open_session(each, open_event(each), initial_views(each))
                    for each in records
                )
            )
            await asyncio.sleep(STEP_S)

    def _record(self) -> SessionRecord:
        seats = tuple(
            SeatRecord(n, new_id(), f"Agent {n}", new_id(), new_id(), self._rng.randbytes(32))
            for n in (0, 1)
        )
        seed = self._rng.randbytes(32)
        return SessionRecord(
            new_id(), "bid-tac-toe", "bid-tac-toe/1", {}, 0, unix_ms(), seed, seats
        )


async def main(url: str, sessions: int) -> None:
    redis = open_redis(url)
    load = Load(redis, sessions)
    async with asyncio.TaskGroup() as group:
        group.create_task(load.follow())
        group.create_task(load.act())
        group.create_task(load.open())


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(main(sys.argv[1], int(sys.argv[2])))
