"""The gateway: constructs its parts, listens, reads the feed, and drains."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol

import structlog
from prometheus_client import CollectorRegistry
from websockets.asyncio.server import Server
from websockets.server import ServerProtocol

from server.channel import Item
from server.clock import Clock
from server.config import Config
from server.gateway.actions import Actions, Submitter
from server.gateway.channels import Channels, Log
from server.gateway.chores import (
    PRESENCE_S,
    RESUBMIT_S,
    REVOKED_S,
    SWEEP_S,
    Keepalive,
    Presence,
    Revocations,
    RevokedSince,
    count_watchers,
    repeat,
)
from server.gateway.connection import Limits, Peer
from server.gateway.door import Door
from server.gateway.fanout import Fanout, Letters
from server.gateway.followed import Followed
from server.gateway.listen import address, listen, raise_file_limit
from server.gateway.requests import (
    Entering,
    PieceLog,
    Queues,
    Requests,
    SigningDesk,
    StandingOf,
)
from server.gateway.tolls import Tolls
from server.gateway.visit import Identify, Reception
from server.live.feed import Lost
from server.live.records import FeedItem, Reply
from server.match import visible
from server.metrics import Metrics
from server.protocol import CloseCode

RECONNECT_SPREAD_MS = 2_000
"""A drained gateway's clients come back spread over this time."""
FEED_RETRY_S = 0.5

_log = structlog.get_logger()


class GatewayLog(Log, PieceLog, Protocol):
    """What the gateway needs of `server.live.log.LiveLog`."""


class GatewayFeed(Protocol):
    """What the gateway needs of `server.live.feed.Feed`."""

    async def ready(self) -> None: ...
    def batches(self) -> AsyncIterator[list[FeedItem]]: ...


class Gateway:
    """The live edge of the arena. `run` serves until cancelled; `drain` first, to be polite."""

    def __init__(
        self,
        *,
        name: str,
        config: Config,
        clock: Clock,
        log: GatewayLog,
        feed: GatewayFeed,
        inbox: Submitter,
        queues: Queues,
        presence: Presence,
        entrance: Entering,
        identify: Identify,
        revoked_since: RevokedSince,
        standing_of: StandingOf,
        metrics: Metrics | None = None,
        desk: SigningDesk | None = None,
    ) -> None:
        """To be made inside the event loop that will run it.

        `identify` tells whom a key speaks for, `standing_of` whether an agent may play now, `desk` takes seats' signatures.
        """
        self.name = name
        self.address = ""
        """`ws://host:port`, once `ready` has returned."""
        self._config = config
        self._metrics = metrics or Metrics(CollectorRegistry())
        self._counted_frames = 0
        self._feed = feed
        self._presence = presence
        self._door = Door(total=config.max_connections, per_address=config.connections_per_address)
        self._fanout = Fanout(
            clock,
            room=config.send_buffer_bytes,
            on_passed=self._passed,
            on_gap=self._gap,
        )
        self._channels = Channels(
            log,
            feed.ready,
            limit=config.history_events,
            visible=visible,
            on_ready=self._fanout.settle,
        )
        self._actions = Actions(
            name, inbox, self._channels.follow, self._channels.get, self._metrics.actions
        )
        tolls = Tolls(config)
        requests = Requests(
            config=config,
            clock=clock,
            channels=self._channels,
            fanout=self._fanout,
            actions=self._actions,
            queues=queues,
            entrance=entrance,
            log=log,
            tolls=tolls,
            standing_of=standing_of,
            desk=desk,
        )
        self._reception = Reception(
            config=config,
            clock=clock,
            door=self._door,
            requests=requests,
            tolls=tolls,
            identify=identify,
            metrics=self._metrics,
        )
        self._limits = Limits(
            room=config.send_buffer_bytes,
            credits=config.credits,
            credits_per_s=config.credits_per_s,
        )
        self._keepalive = Keepalive(self._door, config.ping_interval_s)
        self._revocations = Revocations(self._door, revoked_since, clock)
        self._listening = asyncio.Event()
        self._server: Server | None = None
        self._draining = False

    @property
    def connections(self) -> int:
        return len(self._door)

    @property
    def frames_written(self) -> int:
        """Writes of the fan-out so far, one for each connection and tick."""
        return self._fanout.frames_written

    def watchers(self, channel: str) -> int:
        """Connections of this gateway that follow a channel."""
        followed = self._channels.get(channel)
        return 0 if followed is None else followed.watchers()

    # ---------------------------------------------------------------- life

    async def ready(self) -> None:
        """Return when connections are accepted."""
        await self._listening.wait()

    async def run(self) -> None:
        """Serve until cancelled. Raises OSError when the address cannot be bound."""
        raise_file_limit(self._config.max_connections)
        async with listen(self._config, self._reception.visit, self._connection) as server:
            self._server = server
            self.address = address(server)
            self._listening.set()
            _log.info("gateway listens", gateway=self.name, address=self.address)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._read_feed(), name="feed")
                    for name, every_s, chore in self._chores():
                        tasks.create_task(repeat(name, every_s, chore), name=name)
            finally:
                self._listening.clear()
                await self._channels.aclose()

    async def drain(self) -> None:
        """Stop accepting, tell every client to come back elsewhere, and wait for them to go.

        Takes at most `drain_ms`. Actions without an answer are the clients' to send again: their ids
        make that harmless.
        """
        if self._server is None or self._draining:
            return
        self._draining = True
        self._server.close(close_connections=False)
        peers = self._door.peers()
        _log.info("gateway drains", gateway=self.name, connections=len(peers))
        for peer in peers:
            spread = random.randint(1, RECONNECT_SPREAD_MS)  # noqa: S311 (jitter)
            peer.dismiss(CloseCode.DRAINING, "this gateway shuts down", spread)
        try:
            async with asyncio.timeout(self._config.drain_ms / 1000):
                await self._door.emptied()
        except TimeoutError:
            for peer in self._door.peers():
                peer.transport.abort()

    def _connection(self, protocol: ServerProtocol, server: Server, **options: Any) -> Peer:
        return Peer(
            protocol,
            server,
            limits=self._limits,
            on_arrival=self._door.arrive,
            on_hang_up=self._channels.leave,
            on_departure=self._door.depart,
            **options,
        )

    # ---------------------------------------------------------------- work

    def _passed(self, followed: Followed, item: Item) -> Letters:
        return self._actions.passed(followed, item)

    def _gap(self, followed: Followed) -> None:
        self._channels.reread(followed)

    def _chores(self) -> list[tuple[str, float, Callable[[], Awaitable[None]]]]:
        return [
            ("keepalive", min(SWEEP_S, self._config.ping_interval_s / 4), self._keepalive.sweep),
            ("presence", PRESENCE_S, self._count_watchers),
            ("resubmit", RESUBMIT_S, self._actions.again),
            ("idle channels", SWEEP_S, self._drop_idle),
            ("revocations", REVOKED_S, self._revocations.sweep),
        ]

    async def _count_watchers(self) -> None:
        # Once a second and not at each write: the fan-out pays nothing for being counted.
        written = self._fanout.frames_written
        self._metrics.frames_out.inc(written - self._counted_frames)
        self._counted_frames = written
        self._metrics.connections.set(len(self._door))
        await count_watchers(self.name, self._door, self._channels, self._fanout, self._presence)

    async def _drop_idle(self) -> None:
        self._channels.drop_idle(asyncio.get_running_loop().time())

    async def _read_feed(self) -> None:
        """Move channels on with what the feed brings, through lost places and failures of it."""
        while True:
            try:
                async for items in self._feed.batches():
                    self.take(items)
            except Lost as error:
                _log.warning("feed lost its place", gateway=self.name, reason=str(error))
            except Exception:
                _log.exception("feed failed", gateway=self.name)
                await asyncio.sleep(FEED_RETRY_S)
            self._channels.lost()

    def take(self, items: Sequence[FeedItem]) -> None:
        """One batch of the feed: queue what concerns us, and flush if the tick is over."""
        moved = []
        for item in items:
            if isinstance(item, Reply):
                if item.gateway == self.name:
                    self._actions.replied(item)
                continue
            followed = self._channels.get(item.channel)
            if followed is not None:
                followed.take(item)
                if followed.ready:
                    moved.append(followed)
        self._fanout.mark_all(moved)
