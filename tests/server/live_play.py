"""Driving live sessions in tests: forming them, and answering every open decision over the inbox."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
from redis.asyncio import Redis

from server.clock import unix_ms
from server.config import Config
from server.host import Host, Sealed
from server.live import keys
from server.live.inbox import Inbox
from server.live.lease import Leases
from server.live.log import LiveLog
from server.live.records import Inbound, LogEvent, SessionRecord
from server.match import initial_views, open_event
from server.protocol import SessionView
from spaces import registry
from tests.server.match_table import record_of

FAST = Config(tick_ms=20, tick_min_ms=1, retry_ms=200, drain_ms=2_000, data_dir="unused")


async def form(
    log: LiveLog, session: str, space: str = "bid-tac-toe", *, age_ms: int = 0, **params: Any
) -> SessionRecord:
    """Open a session as the matchmaker does."""
    record = record_of(space, session, **params)
    record = msgspec.structs.replace(record, opened_ms=unix_ms() - age_ms)
    await log.open_session(record, open_event(record), initial_views(record))
    return record


def answer(view: SessionView, kind: str, rng: random.Random) -> str:
    """Some legal answer of the seat whose view it is."""
    assert view.you is not None
    if kind == "bid":  # a test's own bid is 41
        return f"bid: {rng.randint(0, min(40, view.state['chips'][view.you]))}"
    return registry.get(view.space).random_answer(kind, view.state, view.you, rng)


class Players:
    """Answers for every seat of some sessions, and sends again what stays unanswered."""

    def __init__(self, redis: Redis, seed: int = 1) -> None:
        self.log = LiveLog(redis)
        self.inbox = Inbox(redis)
        self._rng = random.Random(seed)
        self._sent: dict[tuple[str, int, int, int], tuple[float, Inbound]] = {}
        self._acts = itertools.count()
        self.sent: set[str] = set()
        """Ids of all actions ever submitted."""

    async def view(self, session: str, seat: int | None = None) -> SessionView:
        head = await self.log.head(keys.session_channel(session))
        assert head is not None
        assert head.views is not None
        view = head.views.public if seat is None else head.views.seats[seat]
        assert isinstance(view, SessionView)
        return view

    async def step(self, session: str) -> bool:
        """Answer what is open. False: the session is sealed."""
        head = await self.log.head(keys.session_channel(session))
        assert head is not None
        assert head.views is not None
        for view in head.views.seats:
            if view.digest is not None:
                return False
            for each in view.decisions:
                if each.seat == view.you and not each.done:
                    await self._submit(view, each.seat, each.kind, each.attempt)
        return True

    async def _submit(self, view: SessionView, seat: int, kind: str, attempt: int) -> None:
        key = (view.session, view.turn, seat, attempt)
        now_s = asyncio.get_running_loop().time()
        sent_s, inbound = self._sent.get(key, (0.0, None))
        if inbound is None:
            act = f"act-{next(self._acts)}"
            text = answer(view, kind, self._rng)
            inbound = Inbound(view.session, seat, act, view.turn, text, "gateway-1")
        elif now_s - sent_s < 0.5:
            return
        if await self.inbox.submit(inbound):
            self.sent.add(inbound.act)
        self._sent[key] = (now_s, inbound)

    async def play(self, sessions: Iterable[str], *, pace_s: float = 0.01) -> None:
        """Until all are sealed."""
        live = set(sessions)
        while live:
            for session in sorted(live):
                if not await self.step(session):
                    live.discard(session)
            await asyncio.sleep(pace_s)

    async def events(self, session: str) -> list[LogEvent]:
        return await self.log.read(keys.session_channel(session), 0, 10_000)


class Shelf:
    """Where sealed sessions are kept in tests; the first of each stands."""

    def __init__(self) -> None:
        self.sealed: dict[str, Sealed] = {}
        self.times = 0

    async def keep(self, sealed: Sealed) -> None:
        self.times += 1
        before = self.sealed.setdefault(sealed.session, sealed)
        assert before == sealed, "a session is sealed to the same byte by every host"


def host_on(
    redis: Redis,
    keep: Callable[[Sealed], Awaitable[None]],
    name: str = "host-1",
    config: Config = FAST,
    ttl_ms: int = 400,
    **given: Any,
) -> Host:
    """`given`: the host's `answer` and `annotate`."""
    return Host(
        name=name,
        log=LiveLog(redis),
        inbox=Inbox(redis),
        leases=Leases(redis, ttl_ms=ttl_ms),
        seal_session=keep,
        config=config,
        clock=unix_ms,
        **given,
    )


async def until(condition: Callable[[], Awaitable[bool]], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not await condition():
            await asyncio.sleep(0.01)
