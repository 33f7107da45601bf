"""A gateway on a real Redis with real websocket clients, and a host that plays when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import msgspec
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from server.clock import unix_ms
from server.config import Config
from server.entering import Entrance
from server.gateway import Gateway
from server.gateway.requests import SigningDesk
from server.identity import Identity, Kind, key_hash, new_id
from server.knobs import load
from server.live import keys
from server.live.feed import Feed
from server.live.inbox import Inbox
from server.live.lease import Leases
from server.live.log import LiveLog
from server.live.presence import Presence
from server.live.queue import Queues
from server.live.records import Inbound, LogEvent, Reply, SeatRecord, SessionRecord, ViewSet
from server.match import Match, initial_views, open_event
from server.metrics import Metrics
from server.protocol import (
    JSON_SUBPROTOCOL,
    ClientMessage,
    Hello,
    Position,
    ServerMessage,
    Snapshot,
    Subscribe,
    Update,
    Welcome,
)
from server.store.agents import Standing
from spaces import registry
from tests.server.free_entries import FreeEntries

M = TypeVar("M")
PATIENCE_S = 5.0
HOST = "host-under-test"


def key_of(agent: str) -> str:
    return f"agon_key_of_{agent}"


class Client:
    """One websocket client that speaks the protocol and remembers what it was told."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._json = socket.subprotocol in (None, JSON_SUBPROTOCOL)
        module: Any = msgspec.json if self._json else msgspec.msgpack
        self._encode = module.encode
        self._decoder = module.Decoder(ServerMessage)
        self.seen: list[ServerMessage] = []

    async def send(self, message: ClientMessage) -> None:
        await self.raw(self._encode(message))

    async def raw(self, data: bytes) -> None:
        await self.socket.send(data, text=self._json)

    async def recv(self) -> ServerMessage:
        async with asyncio.timeout(PATIENCE_S):
            message: ServerMessage = self._decoder.decode(await self.socket.recv(decode=False))
        self.seen.append(message)
        return message

    async def expect(self, kind: type[M], accept: Callable[[M], bool] = lambda _: True) -> M:
        """The next message of this kind that is accepted; others are passed over."""
        while True:
            message = await self.recv()
            if isinstance(message, kind) and accept(message):
                return message

    async def hello(self, agent: str | None = None) -> Welcome:
        await self.send(Hello(key=None if agent is None else key_of(agent), client="test/1"))
        return await self.expect(Welcome)

    async def subscribe(self, channel: str, since: Position | None = None) -> None:
        await self.send(Subscribe(channel, since))

    async def snapshot(self, channel: str, since: Position | None = None) -> Snapshot:
        await self.subscribe(channel, since)
        return await self.expect(Snapshot, lambda m: m.channel == channel)

    async def offsets_until(self, channel: str, last: int) -> list[int]:
        """The offsets of all events of a channel, up to `last`."""
        offsets: list[int] = []
        while not offsets or offsets[-1] < last:
            update = await self.expect(Update, lambda m: m.channel == channel)
            offsets += [event.offset for event in update.events]
        return offsets

    async def closed(self) -> int:
        """The close code, once the arena has closed the connection."""
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(Exception):
                while True:
                    data = await self.socket.recv(decode=False)
                    self.seen.append(self._decoder.decode(data))
            await self.socket.wait_closed()
        return self.socket.close_code or 0


class Table:
    """A session that is played by hand: its host's ticks are the test's calls."""

    def __init__(self, arena: Arena, record: SessionRecord) -> None:
        self._arena = arena
        self.record = record
        self.session = record.session
        self.channel = f"session:{record.session}"
        self.views = initial_views(record)
        self.token = 0
        self._batches = itertools.count()

    async def lease(self) -> None:
        leases = Leases(self._arena.redis)
        claimed = dict(await leases.claim(HOST, 10_000))
        self.token = claimed[self.session]

    async def append(self, *events: LogEvent, views: ViewSet | None = None) -> int:
        """Append events; without views of their own the view tells the last event's type."""
        if views is None:
            public = msgspec.structs.replace(self.views.public, headline=events[-1].type)
            views = ViewSet.of(self.views.offset, public, self.views.seats)
        return await self._arena.log.append(
            self.session,
            keys.lease_mark(self.token, HOST),
            f"b{next(self._batches)}",
            events,
            views,
        )

    async def ticks(self, count: int) -> int:
        """Append `count` small batches; the offset of the last event."""
        for i in range(count):
            last = await self.append(LogEvent(t=i, by="host", type="deadline", body={"i": i}))
        return last


class LivePlay:
    """A host of one session: takes the inbox and lets the real Match answer."""

    def __init__(self, table: Table, arena: Arena) -> None:
        self.table = table
        self._arena = arena
        self._log = [open_event(table.record)]
        self.match = Match(table.record, self._log, retry_ms=10_000)
        self._inbox = Inbox(arena.redis)
        self.taken: list[Inbound] = []

    async def begin(self) -> None:
        self.match.takeover(unix_ms())
        await self._store()

    async def step(self, block_ms: int = 2_000) -> None:
        """Take what has arrived, and answer it."""
        for inbound in await self._inbox.take(HOST, block_ms):
            self.taken.append(inbound)
            self.match.receive(unix_ms(), inbound)
        await self._store()

    async def _store(self) -> None:
        views = self.match.views()
        events = self.match.take_events()
        if events:
            await self.table.append(*events, views=views)
        for reply in self.match.take_replies():
            await self._arena.log.reply(reply)

    async def aclose(self) -> None:
        await self._inbox.aclose()


class Arena:
    def __init__(self, redis: Redis, config: Config) -> None:
        self.redis = redis
        self.config = config
        self.log = LiveLog(redis)
        self.agents: dict[str, Identity] = {}
        self.revoked: dict[str, int] = {}
        """SHA-256 of a key -> when it was revoked."""
        self.standings: dict[str, Standing] = {}
        self.identify_fails = False
        self.entries = FreeEntries()
        self.desk: SigningDesk | None = None
        self.gateways: list[Gateway] = []
        self._plays: list[LivePlay] = []

    def agent(self, name: str, *, hosted: bool = False, runner: bool | None = None) -> str:
        """An agent and its key; `runner`: the key is the runner's, as it is where nothing is said of a
        hosted agent."""
        by_runner = hosted if runner is None else runner
        identity = Identity(name, name.title(), f"{name}@v1", f"owner-{name}", hosted, by_runner)
        self.agents[key_of(name)] = identity
        self.standings[name] = Standing(
            msgspec.structs.replace(identity, runner=False), False, None
        )
        return name

    def runner_of(self, name: str) -> str:
        """Whom to say hello as, to play the agent by a key of the runner."""
        own = self.agents[key_of(name)]
        self.agents[key_of(f"{name}-runner")] = msgspec.structs.replace(own, runner=True)
        return f"{name}-runner"

    def changes(self, name: str, *, kind: Kind | None = None, **standing: Any) -> None:
        """The agent is edited; connections that stand know nothing of it."""
        was = self.standings[name]
        identity = was.identity
        if kind is not None:
            identity = msgspec.structs.replace(identity, hosted=kind == "hosted")
        self.standings[name] = msgspec.structs.replace(was, identity=identity, **standing)

    async def standing_of(self, agent: str) -> Standing | None:
        return self.standings.get(agent)

    async def identify(self, key: str) -> Identity | None:
        if self.identify_fails:
            raise ConnectionError("the store is away")
        return self.agents.get(key)

    async def revoked_since(self, since_ms: int) -> frozenset[str]:
        if self.identify_fails:
            raise ConnectionError("the store is away")
        return frozenset(h for h, at_ms in self.revoked.items() if at_ms >= since_ms)

    def revoke(self, agent: str, at_ms: int | None = None) -> None:
        """The agent's key, now or as another's clock stamps it."""
        self.agents.pop(key_of(agent))
        self.revoked[key_hash(key_of(agent))] = unix_ms() if at_ms is None else at_ms

    async def rating_of(self, version: str, space: str) -> tuple[int, int]:
        return 25_000, 8_333

    def gateway(
        self, name: str = "gateway-1", metrics: Metrics | None = None, **overrides: Any
    ) -> Gateway:
        """Not yet running."""
        config = msgspec.structs.replace(self.config, **overrides)
        queues = Queues(self.redis)
        gateway = Gateway(
            name=name,
            config=config,
            clock=unix_ms,
            log=self.log,
            feed=Feed(self.redis),
            inbox=Inbox(self.redis),
            queues=queues,
            entrance=Entrance(
                entries=self.entries,
                queues=queues,
                rating_of=self.rating_of,
                tiers_open=config.tiers_open,
                clock=unix_ms,
            ),
            presence=Presence(self.redis),
            identify=self.identify,
            revoked_since=self.revoked_since,
            standing_of=self.standing_of,
            metrics=metrics,
            desk=self.desk,
        )
        self.gateways.append(gateway)
        return gateway

    @contextlib.asynccontextmanager
    async def client(
        self, agent: str | None = None, *, subprotocol: str | None = JSON_SUBPROTOCOL, at: int = 0
    ) -> AsyncIterator[Client]:
        """A client that has said hello, to the gateway number `at`."""
        async with self.socket(subprotocol=subprotocol, at=at) as socket:
            client = Client(socket)
            await client.hello(agent)
            yield client

    @contextlib.asynccontextmanager
    async def socket(
        self, *, subprotocol: str | None = JSON_SUBPROTOCOL, at: int = 0, **options: Any
    ) -> AsyncIterator[ClientConnection]:
        async with connect(
            self.gateways[at].address,
            subprotocols=None if subprotocol is None else [Subprotocol(subprotocol)],
            compression=None,
            close_timeout=1,
            **options,
        ) as socket:
            yield socket

    async def table(
        self, space: str = "bid-tac-toe", *, delay_ms: int = 0, agents: tuple[str, ...] = ()
    ) -> Table:
        """An open session, leased by the test."""
        session, rules = new_id(), registry.get(space)
        names = agents or tuple(self.agent(f"agent{seat}") for seat in range(rules.seats))
        seats = tuple(
            SeatRecord(
                i,
                name,
                name,
                f"{name}@v1",
                f"owner-{name}",
                bytes([i]) * 32,
                kind=self.standings[name].identity.kind,
            )
            for i, name in enumerate(names)
        )
        record = SessionRecord(
            session, space, rules.rules, {}, 0, unix_ms(), b"\x07" * 32, seats, delay_ms
        )
        await self.log.open_session(record, open_event(record), initial_views(record))
        table = Table(self, record)
        await table.lease()
        return table

    async def play(self, space: str = "bid-tac-toe", **options: Any) -> LivePlay:
        """A session with its first turn told, whose host is stepped by the test."""
        play = LivePlay(await self.table(space, **options), self)
        self._plays.append(play)
        await play.begin()
        return play

    async def reply(self, reply: Reply) -> None:
        await self.log.reply(reply)

    async def aclose(self) -> None:
        for play in self._plays:
            await play.aclose()


@contextlib.asynccontextmanager
async def running(gateway: Gateway) -> AsyncIterator[asyncio.Task[None]]:
    """The gateway serves inside; it is cancelled at the end."""
    task = asyncio.create_task(gateway.run())
    ready = asyncio.create_task(gateway.ready())
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def arena_of(redis: Redis, **knobs: Any) -> AsyncIterator[Arena]:
    """An arena with one running gateway."""
    arena = Arena(redis, load(env={}, gateway_port=0, ping_interval_s=20, **knobs))
    async with running(arena.gateway()):
        try:
            yield arena
        finally:
            await arena.aclose()
