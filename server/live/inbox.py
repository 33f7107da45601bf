"""The way of an action from a gateway to the host that leases its session.

Delivery is at least once while host and Redis live, and may fail silently when the host dies: the
gateway sends again what stays unanswered, and the action's id makes a second copy harmless.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from server.convoy import Convoy
from server.live import keys
from server.live.connection import MAX_BLOCK_MS, apart
from server.live.decoding import decoded
from server.live.records import Inbound
from server.live.scripts import Call, script

_SUBMIT = script("submit.lua")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Inbound).decode
_KNOWN_HOSTS = 20_000
"""Sessions whose host a gateway remembers before it starts over."""
_COUNT = 512
"""Actions of one shard in one read."""


class _Put(msgspec.Struct, frozen=True):
    """A packed action for the host that its session is believed to have."""

    session: str
    host: str
    message: bytes

    def call(self) -> Call:
        shard = keys.shard(keys.session_channel(self.session))
        names = [keys.lease_owners(shard), keys.inbox(shard, self.host)]
        return names, [
            self.session,
            self.host,
            self.message,
            keys.INBOX_MAXLEN,
            keys.INBOX_TTL_S,
        ]


class Inbox:
    """Both ends: gateways call `submit`, one task of a host calls `take`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._hosts: dict[str, str] = {}
        self._reader: Redis | None = None
        self._at: dict[int, bytes] = {}
        self._puts: Convoy[_Put, Any] = Convoy(self._put, lambda each: each)

    async def submit(self, inbound: Inbound) -> bool:
        """Hand an action to its session's host. False: nobody leases that session now, try again
        a little later. Raises redis.exceptions.RedisError."""
        session, message = inbound.session, _encode(inbound)
        host = self._hosts.get(session, "")
        # The host may change between two attempts, but hardly twice.
        for _ in range(3):
            answer = await self._puts.ride(_Put(session, host, message))
            if answer == 1:
                return True
            host = answer.decode()
            if not host:
                self._hosts.pop(session, None)
                return False
            self._remember(session, host)
        return False

    async def _put(self, puts: Sequence[_Put]) -> list[Any]:
        return await _SUBMIT.run_all(self._redis, [each.call() for each in puts])

    def _remember(self, session: str, host: str) -> None:
        if len(self._hosts) >= _KNOWN_HOSTS:
            self._hosts.clear()
        self._hosts[session] = host

    async def take(self, host: str, block_ms: int) -> list[Inbound]:
        """What has arrived for `host` since the last call; waits up to `block_ms` for the first.

        The first call starts with all that still lies there. Cancelling is safe. Raises
        redis.exceptions.RedisError; calling again goes on where it stopped.
        """
        if self._reader is None:
            self._reader = apart(self._redis)
        at: dict[Any, Any] = {
            keys.inbox(n, host): self._at.get(n, b"0-0") for n in range(keys.SHARDS)
        }
        answer = await self._reader.xread(at, count=_COUNT, block=min(block_ms, MAX_BLOCK_MS))
        taken: list[Inbound] = []
        for name, rows in answer:
            shard = int(name[len("inbox:{s") :][:2])
            self._at[shard] = rows[-1][0]
            taken += decoded(_decode, (fields[b"m"] for _, fields in rows))
        return taken

    async def aclose(self) -> None:
        """Let what is submitted come to its end, and close the reader's connection. Idempotent."""
        await self._puts.close()
        if self._reader is not None:
            await self._reader.aclose(close_connection_pool=True)
            self._reader = None
