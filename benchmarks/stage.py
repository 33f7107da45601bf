"""The real gateway on a stage: its feed and log are the benchmark's, everything else is as served.

Redis is left out so that what is measured is the gateway; the way through Redis has its own
benchmark (`action_to_spectator_p99_ms`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import structlog

from server.clock import unix_ms
from server.gateway import Gateway
from server.identity import Identity
from server.knobs import load
from server.live.log import Head
from server.live.records import (
    Appended,
    FeedItem,
    Inbound,
    LogEvent,
    Piece,
    SessionRecord,
    TicketRecord,
    ViewSet,
)
from server.protocol import SessionView, Ticket
from server.store.agents import Standing

CHANNEL = "session:bench"
EPOCH = "e"
HELLO = ('{"type":"hello"}', '{"type":"subscribe","channel":"' + CHANNEL + '"}')


def _view() -> SessionView:
    return SessionView("bench", "bid-tac-toe", "bid-tac-toe/1", "live", 0, [], {}, "")


class Stage:
    """One channel, whose events come when the benchmark says so."""

    def __init__(self) -> None:
        self.views = ViewSet.of(0, _view())
        self.next = 1
        self._batches: asyncio.Queue[list[FeedItem]] = asyncio.Queue()

    def tell(self, events: list[LogEvent]) -> None:
        """Let the feed bring these events, one batch each, in one read."""
        items: list[FeedItem] = []
        for event in events:
            items.append(Appended(CHANNEL, EPOCH, self.next, (event,)))
            self.next += 1
        self._batches.put_nowait(items)

    # What the gateway needs of feed, log, inbox, queues and presence.

    async def ready(self) -> None:
        return

    async def batches(self) -> AsyncIterator[list[FeedItem]]:
        while True:
            yield await self._batches.get()

    async def head(self, channel: str) -> Head | None:
        return Head(EPOCH, self.views.offset, self.views) if channel == CHANNEL else None

    async def read(self, channel: str, first: int, count: int) -> list[LogEvent]:
        return [LogEvent(0, "host", "open")] * count

    async def record(self, session: str) -> SessionRecord | None:
        return None

    async def piece(self, piece: Piece) -> None:
        raise NotImplementedError

    async def submit(self, inbound: Inbound) -> bool:
        raise NotImplementedError

    async def enter(self, identity: Identity, space: str, tier_micros: int) -> TicketRecord:
        raise NotImplementedError

    async def leave(self, ticket: str, agent: str) -> Ticket:
        raise NotImplementedError

    async def confirm(self, offer: str, agent: str) -> int:
        raise NotImplementedError

    async def explain(self, ticket: str, agent: str) -> Ticket:
        raise NotImplementedError

    async def report(self, gateway: str, counts: Mapping[str, int], total: int) -> None:
        return

    async def counts(self) -> tuple[dict[str, int], int]:
        return {}, 0


async def _revoked_since(since_ms: int) -> frozenset[str]:
    return frozenset()


async def _standing_of(agent: str) -> Standing | None:
    return Standing(Identity(agent, agent, f"{agent}@v1", f"owner-{agent}"), False, None)


async def _identify(key: str) -> Identity | None:
    return None


class Staged:
    """A running gateway and its stage."""

    def __init__(self, gateway: Gateway, stage: Stage) -> None:
        self.gateway = gateway
        self.stage = stage
        self.port = int(gateway.address.rsplit(":", 1)[1])

    @property
    def frames_written(self) -> int:
        return self.gateway.frames_written

    async def joined(self, count: int) -> None:
        """Return when so many connections follow the channel."""
        async with asyncio.timeout(60):
            while self.gateway.watchers(CHANNEL) < count:  # noqa: ASYNC110 (no event to wait for)
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def staged(**knobs: Any) -> AsyncIterator[Staged]:
    # One log line for each of thousands of connections is not what is measured here.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    stage = Stage()
    config = load(
        env={},
        gateway_port=0,
        ping_interval_s=3_600,  # the crowd answers no pings
        max_connections=1_000_000,
        connections_per_address=1_000_000,
        **knobs,
    )
    gateway = Gateway(
        name="bench",
        config=config,
        clock=unix_ms,
        log=stage,
        feed=stage,
        inbox=stage,
        queues=stage,
        entrance=stage,
        presence=stage,
        identify=_identify,
        revoked_since=_revoked_since,
        standing_of=_standing_of,
    )
    task = asyncio.create_task(gateway.run())
    try:
        await gateway.ready()
        yield Staged(gateway, stage)
    finally:
        await gateway.drain()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
