"""The live log: a channel's events, its views and the feed that tells gateways, in Redis.

Every write is one Lua script: fencing or base check, idempotency key, offsets, events, views, feed.
Repeating any call is harmless. A cancelled call may or may not have happened; repeat it to know.
What many tasks ask of many channels at once shares its round trips (`server.convoy`).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from redis.asyncio import Redis

from server.convoy import Convoy
from server.identity import new_id
from server.live import keys
from server.live.packing import Append as Append
from server.live.packing import append_calls, batch_args, constant_of, encode, limits, session_keys
from server.live.records import LogEvent, Piece, Reply, SessionRecord, ViewSet
from server.live.scripts import Call, script
from server.protocol import View

_OPEN = script("write.lua", "open.lua")
_APPEND = script("write.lua", "append.lua")
_PUBLISH = script("write.lua", "publish.lua")
_HEAD = script("head.lua")

_events = msgspec.msgpack.Decoder(LogEvent)
_views = msgspec.msgpack.Decoder(ViewSet)
_records = msgspec.msgpack.Decoder(SessionRecord)
_ANY = -2


class Fenced(Exception):
    """The session is leased by somebody else, sealed, or gone, or its log is not where the caller
    believes: it must let go of the session."""


class Moved(Exception):
    """The channel has gone past the offset that the caller's views were made for: read it again."""


class Head(msgspec.Struct, frozen=True):
    """Where a channel stands."""

    epoch: str
    offset: int
    views: ViewSet | None


class Loaded(msgspec.Struct, frozen=True):
    """All that a host needs to go on with a session."""

    record: SessionRecord
    events: list[LogEvent]


class _Publication(msgspec.Struct, frozen=True):
    """A call of the script, packed."""

    channel: str
    call: Call
    base: int | None


class LiveLog:
    """Reads and writes channels. One may, and should, be shared by all tasks of a process.

    Every method raises redis.exceptions.RedisError while Redis cannot be reached.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._heads: Convoy[str, Head | None] = Convoy(self._read_heads, lambda channel: channel)
        self._publications: Convoy[_Publication, int] = Convoy(
            self._publish, lambda each: each.channel
        )

    async def close(self) -> None:
        """Let what is asked for come to its end. Idempotent."""
        await self._heads.close()
        await self._publications.close()

    async def open_session(self, record: SessionRecord, event: LogEvent, views: ViewSet) -> None:
        """Write the record, event 0, and a lease that any host may take. Idempotent."""
        own = session_keys(record.session)
        names = [keys.feed(own.shard), keys.leases(own.shard), keys.lease_owners(own.shard)]
        args = limits(keys.SESSION_TTL_S)
        args += [record.session, encode(record), new_id()]
        args += batch_args(own.constant, "open", [event], views)
        await _OPEN.run(self._redis, [*names, *own.names], args)

    async def append(
        self,
        session: str,
        mark: str,
        batch: str,
        events: Sequence[LogEvent],
        views: ViewSet | None,
    ) -> int:
        """The offset of the first event. `mark` is of our lease (`keys.lease_mark`). The same `batch` again returns the same. Raises Fenced."""
        return await self._append(Append(session, mark, batch, events, views))

    async def seal(
        self,
        session: str,
        mark: str,
        batch: str,
        events: Sequence[LogEvent],
        views: ViewSet | None,
    ) -> int:
        """Like `append`, and the lease is gone for good."""
        return await self._append(Append(session, mark, batch, events, views, seal=True))

    async def _append(self, append: Append) -> int:
        [first] = await self.append_many([append])
        if isinstance(first, Fenced):
            raise first
        return first

    async def append_many(self, appends: Sequence[Append]) -> list[int | Fenced]:
        """Many batches, at most one of each session, by few round trips; the answers stand in the
        same order. Raises what encoding raises, before anything is sent."""
        calls, places = append_calls(appends)
        answers = await _APPEND.run_all(self._redis, calls)
        firsts: list[int | Fenced] = [0] * len(appends)
        for chunk, members in zip(answers, places, strict=True):
            for place, first in zip(members, chunk, strict=True):
                firsts[place] = first if first >= 0 else _fenced(appends[place])
        return firsts

    async def publish(
        self,
        channel: str,
        batch: str,
        events: Sequence[LogEvent],
        views: View | ViewSet | None,
        ttl_s: int,
        *,
        base: int | None = None,
    ) -> int:
        """Append to a channel that no host leases; returns the offset of the first event.

        A channel that does not exist is made. The offset inside `views` is set here. Views that were
        made from what stood in the channel should name its offset as `base` (-1: it was empty), so
        that two writers cannot undo each other: raises Moved when the channel has moved since.
        """
        names = [keys.feed(keys.shard(channel)), keys.log(channel), keys.meta(channel)]
        names += [keys.views(channel), keys.batches(channel)]
        args = limits(ttl_s)
        args += [_ANY if base is None else base, new_id()]
        args += batch_args(constant_of(channel), batch, events, views)
        return await self._publications.ride(_Publication(channel, (names, args), base))

    async def _publish(self, publications: Sequence[_Publication]) -> list[int | Exception]:
        answers = await _PUBLISH.run_all(self._redis, [each.call for each in publications])
        return [
            first if first >= 0 else Moved(f"{each.channel} has moved past offset {each.base}")
            for each, first in zip(publications, answers, strict=True)
        ]

    async def head(self, channel: str) -> Head | None:
        """Where the channel stands, all parts at one instant; None when there is none."""
        return await self._heads.ride(channel)

    async def _read_heads(self, channels: Sequence[str]) -> list[Head | Exception | None]:
        calls: list[Call] = [([keys.meta(each), keys.views(each)], []) for each in channels]
        return [_head(*answer) for answer in await _HEAD.run_all(self._redis, calls)]

    async def read(self, channel: str, first: int, count: int) -> list[LogEvent]:
        """At most `count` events from offset `first` on; fewer when there are not as many.

        Raises LookupError when event `first` is no longer held though later ones are.
        """
        if count < 1:
            return []
        rows = await self._redis.xrange(keys.log(channel), min=f"{first}-1", count=count)
        if rows and int(rows[0][0].split(b"-")[0]) != first:
            raise LookupError(f"event {first} of {channel} is no longer held")
        return [_events.decode(fields[b"e"]) for _, fields in rows]

    async def missing(self, sessions: Sequence[str]) -> list[str]:
        """Those of the sessions that have no log."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for session in sessions:
                pipeline.exists(keys.meta(keys.session_channel(session)))
            found = await pipeline.execute() if sessions else []
        return [session for session, there in zip(sessions, found, strict=True) if not there]

    async def record(self, session: str) -> SessionRecord | None:
        raw = await self._redis.get(keys.record(session))
        return None if raw is None else _records.decode(raw)

    async def load(self, sessions: Sequence[str]) -> list[Loaded | None]:
        """Record and whole log of each session; None where either is gone or incomplete."""
        loaded: list[Loaded | None] = []
        async with self._redis.pipeline(transaction=False) as pipeline:
            for session in sessions:
                pipeline.get(keys.record(session))
                pipeline.xrange(keys.log(keys.session_channel(session)))
            answers = await pipeline.execute() if sessions else []
        for raw, rows in zip(answers[::2], answers[1::2], strict=True):
            whole = raw is not None and rows and rows[0][0] == b"0-1"
            events = [_events.decode(fields[b"e"]) for _, fields in rows] if whole else []
            loaded.append(Loaded(_records.decode(raw), events) if whole else None)
        return loaded

    async def piece(self, piece: Piece) -> None:
        """Tell the feed of a part of an answer. Not in the log."""
        await self._announce([(piece.channel, piece)])

    async def reply(self, reply: Reply) -> None:
        """Tell the gateway that asked. Not in the log."""
        await self.replies([reply])

    async def replies(self, replies: Sequence[Reply]) -> None:
        """Many replies in one round trip. Repeated ones are harmless: the gateway asked once."""
        await self._announce([(keys.session_channel(each.session), each) for each in replies])

    async def _announce(self, items: Sequence[tuple[str, Piece | Reply]]) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for channel, item in items:
                pipeline.xadd(
                    keys.feed(keys.shard(channel)),
                    {"i": encode(item)},
                    maxlen=keys.FEED_MAXLEN,
                    approximate=True,
                )
            await pipeline.execute()


def _head(meta: Sequence[bytes | None], views: bytes | None) -> Head | None:
    epoch, after = meta
    if epoch is None or after is None:
        return None
    return Head(epoch.decode(), int(after) - 1, _views.decode(views) if views else None)


def _fenced(append: Append) -> Fenced:
    return Fenced(f"session {append.session} is not leased as {append.mark}")
