"""One agent at play: ties the wire (`client`), the queue (`plan`) and the seats together.

The pure parts decide; this file only carries.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

import msgspec

from bots import narrate
from bots.api import Api
from bots.bot import Bot
from bots.client import Client, Codec, monotonic_ms
from bots.errors import ArenaUnreachable, KeyRefused, RequestRefused
from bots.interrupt import Interrupted, unless
from bots.journal import Say, Sparing
from bots.link import Link, Moved, News, Welcomed
from bots.plan import Plan
from bots.reconnect import Reconnect
from bots.seats import Seats
from bots.signin import SignIn
from bots.signing import Signer, Signing
from bots.turn import Result
from server.protocol import Accepted, AgentView, Error, Rejected, SessionView, Ticket

CLIENT_NAME = "agon-bots/1"
STOP_PATIENCE_S = 3.0
"""After a stop without live sessions: how long to wait for the queue to let the agent go."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    space: str | None
    """None: any, which needs `enqueue` to be False."""
    tier_micros: int = 0
    sessions: int | None = 1
    max_parallel: int = 1
    json: bool = False
    patience_s: float | None = None
    """How long the first contact may take; None: for ever."""
    verdict_s: float = 0.0
    """How long to wait for verdicts after the last session."""
    enqueue: bool = True
    """False: play only what it is seated in or offered, by a tournament or its automation."""
    hosted: bool = False
    """The arena hosts the agent: when the bot fails, its session is abandoned and no other is begun."""
    signer: Signer | None = None
    """With the agent's signing key: its sessions are signed when they are over."""


class Player:
    """Plays one agent. `run` once."""

    def __init__(self, bot: Bot, api: Api, sign_in: SignIn, options: Options, say: Say) -> None:
        self._bot = bot
        self._api = api
        self._sign_in = sign_in
        self._options = options
        self._say = say
        self._plan = Plan(
            options.space,
            options.tier_micros,
            options.sessions,
            options.max_parallel,
            enqueue=options.enqueue,
        )
        self._changed = asyncio.Event()
        self.abandoned = False
        """A session was abandoned, so there should be a pause before this agent plays again."""
        self._standing = ""
        self._welcomed = False
        self._client: Client
        self._seats: Seats

    async def run(self, stop: asyncio.Event) -> list[Result]:
        """Play until the plan is done; the results. See `bots.play.play`."""
        while True:
            try:
                key = await unless(stop, self._key())
            except Interrupted:
                return []
            try:
                await self._run_with(key, stop)
            except ExceptionGroup as group:  # one cause is enough; the rest was cancelled by it
                error = _first(group)
                if not isinstance(error, KeyRefused) or not self._sign_in.refused(key):
                    raise error from None
            else:
                return list(self._seats.results)

    @property
    def live(self) -> frozenset[str]:
        """The sessions that are being played."""
        return self._plan.live

    async def _key(self) -> str:
        """The agent's key; waits for an arena that is not up yet."""
        reconnect = Reconnect(random.Random())  # noqa: S311 # jitter
        say = Sparing(self._say)
        loop = asyncio.get_running_loop()
        patience = self._options.patience_s
        deadline = None if patience is None else loop.time() + patience
        while True:
            try:
                return await self._sign_in.key()
            except ArenaUnreachable as error:
                delay = reconnect.delay_s(wait_ms=round(error.retry_after_s * 1000))
                if deadline is not None and loop.time() + delay > deadline:
                    raise
                say(f"{error}; again in {delay:.1f} s")
                await asyncio.sleep(delay)

    async def _run_with(self, key: str, stop: asyncio.Event) -> None:
        self._welcomed = False
        self._client = Client(
            Link(key, CLIENT_NAME),
            self._api.gateway,
            self._on_news,
            Reconnect(random.Random()),  # noqa: S311 # jitter
            codec=Codec("json" if self._options.json else "msgpack"),
            patience_s=self._options.patience_s,
            say=self._say,
        )
        async with asyncio.TaskGroup() as tasks:
            self._seats = Seats(
                self._bot,
                self._client,
                tasks.create_task,
                self._over,
                self._say,
                self._abandoned if self._options.hosted else None,
                self._signing(),
            )
            tasks.create_task(self._client.run())
            helpers = [
                tasks.create_task(self._seats.run_hooks()),
                tasks.create_task(self._stop_when(stop)),
            ]
            await self._steer(stop)
            await self._seats.hooks_done()
            await self._seats.signed()
            self._seats.leave_all()
            self._client.close()
            for task in helpers:
                task.cancel()

    def _signing(self) -> Signing | None:
        signer = self._options.signer
        if signer is None:
            return None
        return Signing(signer, self._api, self._client.request, self._say)

    # ------------------------------------------------------------------ steering

    async def _stop_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._plan.stop()
        self._changed.set()

    async def _steer(self, stop: asyncio.Event) -> None:
        """Turn the plan's wishes into requests until it is done and the verdicts are in."""
        loop = asyncio.get_running_loop()
        give_up: float | None = None
        while True:
            self._changed.clear()
            now = monotonic_ms()
            for wish in self._plan.wishes(now):
                self._client.request(wish)
            if self._plan.fatal is not None:
                raise RequestRefused(f"{self._plan.fatal.reason} ({self._plan.fatal.code})")
            if self._plan.done and (stop.is_set() or not self._seats):
                return
            if stop.is_set() and not self._welcomed:
                return  # nothing of ours is live there, and there is no queue to leave
            wake_s = (self._plan.next_wakeup(now) - now) / 1000
            busy = self._plan.live or self._plan.opening
            if not busy and (stop.is_set() or self._plan.done):
                patience_s = STOP_PATIENCE_S if stop.is_set() else self._options.verdict_s
                give_up = give_up or loop.time() + patience_s
                wake_s = min(wake_s, give_up - loop.time())
                if wake_s <= 0:
                    return
            try:
                async with asyncio.timeout(wake_s):
                    await self._changed.wait()
            except TimeoutError:
                pass

    def _over(self, session: str, counts: bool) -> None:
        self._plan.session_over(session, counts=counts)
        self._changed.set()

    def _abandoned(self) -> None:
        self.abandoned = True
        self._plan.stop()
        self._changed.set()

    # ------------------------------------------------------------------ news from the arena

    def _on_news(self, news: News) -> None:
        now = monotonic_ms()
        match news:
            case Welcomed(agent):
                self._say(f"connected to {self._api.url} as agent {agent}")
                self._welcomed = True
                self._plan.welcomed(now)
            case Moved(view=AgentView() as view):
                ahead_ms = self._client.arena_ms() - now
                opening = self._plan.opening
                for session in self._plan.agent_view(view, now, ahead_ms):
                    self._standing = ""
                    self._seats.sit(session)
                for session in self._plan.opening - opening:
                    self._say_standing(narrate.opening(session))
                for event in news.events:
                    if event.type == "left" and (reason := event.body.get("reason")):
                        self._say(narrate.unplayed(event.body["session"], reason))
            case Moved(view=SessionView() as view):
                self._seats.take(view)
            case Ticket():
                if self._plan.ticket(news, now):
                    self._say_standing(narrate.standing(news))
            case Accepted():
                self._seats.accepted(news.session, news.id)
            case Rejected():
                self._seats.rejected(news.id)
                self._say(narrate.rejected(news))
            case Error():
                self._on_error(news, now)
            case _:
                pass  # a part of a replay
        self._changed.set()

    def _on_error(self, error: Error, now: int) -> None:
        self._say(narrate.error(error))
        self._plan.error(error, now)
        session = error.ref.removeprefix("session:")
        if error.code in ("unknown-channel", "forbidden") and session in self._seats:
            self._plan.session_over(session, counts=False)
            self._seats.leave(session)

    def _say_standing(self, line: str) -> None:
        """A ticket is asked about every few seconds; people hear only what changed."""
        if line != self._standing:
            self._standing = line
            self._say(line)


def _first(group: ExceptionGroup[Any]) -> Exception:
    error: Exception = group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
