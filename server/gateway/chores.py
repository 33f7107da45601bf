"""What a gateway does besides: keepalive, presence, sending actions again, letting channels go.

Each is a loop that survives its own failures: Redis away means a chore left undone, no more.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import structlog

from server.clock import Clock
from server.gateway.channels import Channels
from server.gateway.connection import Peer
from server.gateway.door import Door
from server.gateway.fanout import Fanout
from server.protocol import CloseCode

PRESENCE_S = 1.0
RESUBMIT_S = 0.1
SWEEP_S = 1.0
REVOKED_S = 2.0
LOOK_BACK_MS = 60_000
"""Revocations are stamped by another's clock and seen when they are committed, so each is looked at more than
once: also who said hello while his key was being revoked is found."""
RevokedSince = Callable[[int], Awaitable[frozenset[str]]]
"""Unix ms -> `identity.key_hash` of the keys that were revoked then or later."""
_log = structlog.get_logger()


class Presence(Protocol):
    """What is needed of `server.live.presence.Presence`."""

    async def report(self, gateway: str, counts: Mapping[str, int], total: int) -> None: ...
    async def counts(self) -> tuple[dict[str, int], int]: ...


async def repeat(name: str, every_s: float, chore: Callable[[], Awaitable[None]]) -> None:
    """Do a chore again and again until cancelled; log the first failure of a row."""
    failing = False
    while True:
        await asyncio.sleep(every_s * random.uniform(0.9, 1.1))  # noqa: S311 (spreads the load)
        try:
            await chore()
            failing = False
        except Exception as error:
            if not failing:
                _log.warning("chore failed", chore=name, error=f"{type(error).__name__}: {error}")
            failing = True


async def count_watchers(
    name: str, door: Door, channels: Channels, fanout: Fanout, presence: Presence
) -> None:
    """Report how many watch here, and tell audiences how many watch everywhere."""
    here = {
        followed.channel.removeprefix("session:"): followed.spectators()
        for followed in channels.all()
        if followed.channel.startswith("session:") and followed.watchers()
    }
    spectators = sum(peer.greeted and peer.identity is None for peer in door.peers())
    await presence.report(name, here, spectators)
    everywhere, _ = await presence.counts()
    for session in here:
        followed = channels.get(f"session:{session}")
        if followed is not None:
            fanout.watching(followed, everywhere.get(session, 0))


class Revocations:
    """Cuts off who plays with a key that was revoked after his hello: REVOKED_S later, where the database answers."""

    def __init__(self, door: Door, revoked_since: RevokedSince, clock: Clock) -> None:
        self._door = door
        self._revoked_since = revoked_since
        self._clock = clock
        self._swept_ms = clock()

    async def sweep(self) -> None:
        now_ms = self._clock()
        hashes = await self._revoked_since(self._swept_ms - LOOK_BACK_MS)
        self._swept_ms = now_ms
        for peer in self._door.peers() if hashes else ():
            if peer.key in hashes:
                peer.dismiss(CloseCode.UNAUTHORIZED, "the key was revoked")


class Keepalive:
    """Pings whoever has been silent for an interval, and ends whoever stays silent for another.

    Each sweep looks at all connections once; pings are spread by when each was last heard.
    """

    def __init__(self, door: Door, interval_s: float) -> None:
        self._door = door
        self._interval_s = interval_s
        self._pinged: dict[Peer, float] = {}

    async def sweep(self) -> None:
        peers = self._door.peers()
        pinged, self._pinged = self._pinged, {}
        for peer in peers:
            now = peer.loop.time()
            if not peer.greeted or not peer.listening or now - peer.heard < self._interval_s:
                continue
            since = pinged.get(peer)
            if since is None or since < peer.heard:
                peer.probe()
                since = now
            elif now - since >= self._interval_s:
                self._end(peer)
                continue
            self._pinged[peer] = since

    def _end(self, peer: Peer) -> None:
        if peer.transport.get_write_buffer_size():
            peer.cut(CloseCode.IDLE, "no answer to pings")  # it would not read a goodbye either
        else:
            peer.dismiss(CloseCode.IDLE, "no answer to pings", 1)
