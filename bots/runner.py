"""Plays hosted agents, each over the same websocket as any bot.

One agent's failure is its own: it is logged, and the agent comes back after a while. Where it cannot be
played, e.g. since its model does not answer, its session is abandoned: the arena's fault, so void. Calls of
models share one semaphore, so a crowd of rappers queues for the model instead of sinking it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import msgspec
import structlog

from bots import bridged
from bots.api import Api, arena_url
from bots.brains import Brain, make
from bots.brains.openai import http_client
from bots.errors import BotError, KeyRefused
from bots.hosted import BrainBot, Guest, HostedAgent, Part, Source, VersionBot
from bots.journal import Say
from bots.player import Options, Player
from bots.reconnect import SETTLED_S, Reconnect
from bots.signin import SignIn

MODEL_CALLS = 2
"""Calls of models at once, by default: as many as a small machine has cores."""

ABANDON_REST_S = 30.0
"""Pause after an abandoned session, twice as long after each that follows it, so that a dead model does
not make a void session each second."""
MAX_ABANDON_REST_S = 300.0
SOURCE_S = 2.0
"""Between two looks at who is to be played; an offered seat waits several times as long."""

Dress = Callable[[HostedAgent, Brain], Brain]

log = structlog.get_logger()


class _Engagement(msgspec.Struct, frozen=True):
    """An agent in one room of the runner: played until `stop` is set and its live sessions are over."""

    agent: HostedAgent | Guest
    bot: BrainBot | VersionBot
    stop: asyncio.Event


class Runner:
    """Keeps `agents`, and whom `source` tells of, playing at the arena `api_url`. `run` once."""

    def __init__(
        self,
        api_url: str,
        agents: Sequence[HostedAgent],
        *,
        source: Source | None = None,
        keys_file: Path | None = None,
        model_calls: int = MODEL_CALLS,
        abandon_rest_s: float = ABANDON_REST_S,
        source_s: float = SOURCE_S,
        guest_pace_s: float = 0.0,
        dressed: Dress | None = None,
        say: Say | None = None,
    ) -> None:
        """`keys_file` keeps the agents' keys, so that they are the same agents after a restart.
        `guest_pace_s`: a decision of a guest takes at least this long, so that people can follow.
        `dressed` is given the brain of each of `agents`, and what it gives back plays.
        `say` is told the journal of every agent; None: the debug log is. Raises BotError for an agent that cannot play.
        """
        self._api = Api(arena_url(api_url))
        self._agents = tuple(agents)
        self._source = source
        self._source_s = source_s
        self._guest_pace_s = guest_pace_s
        self._dressed = dressed
        self._keys_file = keys_file
        self._say = say
        self._abandon_rest_s = abandon_rest_s
        self._limit = asyncio.Semaphore(model_calls)
        self._https: dict[str, httpx.AsyncClient] = {}
        """Connections to models' servers, by url, which guests share."""
        self._stop = asyncio.Event()
        self._finished = asyncio.Event()
        self.played: Counter[str] = Counter()
        """Sessions each agent has ended, by name; of guests by id."""
        self._own = [_Engagement(agent, self._bot(agent), self._stop) for agent in self._agents]
        self._guests: dict[str, _Engagement] = {}

    @property
    def guests(self) -> frozenset[str]:
        """The owners' agents that are being played, by id."""
        return frozenset(self._guests)

    def _bot(self, agent: HostedAgent) -> BrainBot:
        bridged.offer(agent.space, agent.brain)
        brain = make(agent.brain, agent.space, agent.settings, self._limit)
        if self._dressed is not None:
            brain = self._dressed(agent, brain)
        return BrainBot(brain, agent.pace_s)

    def _brain(self, part: Part, space: str) -> Brain:
        """Of a guest. Raises BadSettings."""
        url = part.settings.get("url")
        if url is not None and url not in self._https:
            self._https[url] = http_client(url)
        return make(part.brain, space, part.settings, self._limit, self._https.get(url or ""))

    async def run(self) -> None:
        """Play until every agent has had its sessions and there is no source to tell of more, or `drain`.
        Cancelling leaves at once."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for engagement in self._own:
                    tasks.create_task(self._keep_playing(engagement))
                if self._source is not None:
                    tasks.create_task(self._follow(self._source, tasks))
        finally:
            for engagement in self._own:
                await engagement.bot.close()
            for http in self._https.values():
                await http.aclose()
            self._finished.set()

    async def drain(self, timeout_s: float = 5.0) -> bool:
        """Start no new session; wait for the live ones until `timeout_s` is over.

        True when all have ended; else cancel `run`, which leaves them to their deadlines. Another
        runner with the same keys file or source may take them over.
        """
        self._stop.set()
        try:
            async with asyncio.timeout(timeout_s):
                await self._finished.wait()
        except TimeoutError:
            return False
        return True

    # ------------------------------------------------------------------ guests

    async def _follow(self, source: Source, tasks: asyncio.TaskGroup) -> None:
        """Engage whom the source tells of, let go whom it tells of no more."""
        while not self._stop.is_set():
            try:
                wanted = {guest.agent: guest for guest in await source.guests()}
            except Exception as error:  # the store or Redis: who is engaged goes on
                log.warning("hosted_agents_unknown", reason=repr(error))
            else:
                for agent in self._guests.keys() - wanted.keys():
                    self._guests[agent].stop.set()
                for agent in wanted.keys() - self._guests.keys():
                    tasks.create_task(self._engage(source, wanted[agent]))
            await self._pause(self._source_s, self._stop)
        for engagement in self._guests.values():
            engagement.stop.set()

    async def _engage(self, source: Source, guest: Guest) -> None:
        if guest.agent in self._guests or self._stop.is_set():
            return
        bot = VersionBot(source, self._brain, self._guest_pace_s)
        engagement = _Engagement(guest, bot, asyncio.Event())
        self._guests[guest.agent] = engagement
        log.info("hosted_agent_comes", agent=guest.agent, name=guest.name)
        try:
            await self._keep_playing(engagement)
        finally:
            del self._guests[guest.agent]
            log.info("hosted_agent_goes", agent=guest.agent, played=self.played[guest.agent])

    # ------------------------------------------------------------------ playing

    async def _keep_playing(self, engagement: _Engagement) -> None:
        """Play one agent, again after a failure, until it has had its sessions."""
        agent, stop = engagement.agent, engagement.stop
        name = agent.name if isinstance(agent, HostedAgent) else agent.agent
        rest_s = agent.rest_s if isinstance(agent, HostedAgent) else 0.0
        reconnect = Reconnect(random.Random())  # noqa: S311 # jitter
        abandoned = 0
        while not stop.is_set():
            left = self._left(agent)
            if left is not None and left <= 0:
                return
            try:
                player = await self._player(engagement, 1 if rest_s else left)
                results = await player.run(stop)
                self.played[name] += sum(result.status == "ended" for result in results)
                reconnect.settled(SETTLED_S)
                abandoned = abandoned + 1 if player.abandoned else 0
                await self._pause(max(rest_s, self._abandoned_rest_s(name, abandoned)), stop)
            except Exception as error:  # one agent's failure is no other's, whatever it is
                if isinstance(error, KeyRefused) and self._source is not None and agent.agent:
                    self._source.refused(agent.agent)
                known = isinstance(error, BotError)
                log.warning(
                    "hosted_agent_failed", agent=name, reason=str(error), exc_info=not known
                )
                await self._pause(reconnect.delay_s() + 1, stop)

    def _left(self, agent: HostedAgent | Guest) -> int | None:
        """Sessions it has still to play; None: without end."""
        if isinstance(agent, Guest) or agent.sessions is None:
            return None
        return agent.sessions - self.played[agent.name]

    def _abandoned_rest_s(self, name: str, times: int) -> float:
        if not times:
            return 0.0
        rest_s: float = min(MAX_ABANDON_REST_S, self._abandon_rest_s * 2 ** min(times - 1, 10))
        log.warning("hosted_agent_rests", agent=name, abandoned=times, seconds=rest_s)
        return rest_s

    async def _player(self, engagement: _Engagement, sessions: int | None) -> Player:
        """Raises what the source raises."""
        agent = engagement.agent

        def say(line: str) -> None:
            if self._say is None:
                log.debug("hosted_agent", agent=agent.name, line=line)
            else:
                self._say(f"{agent.name}: {line}")

        sign_in = SignIn(
            self._api,
            agent.name,
            key=await self._key(agent),
            keys_file=self._keys_file,
            say=say,
            own=True,
        )
        if isinstance(agent, Guest):
            options = Options(space=None, sessions=None, enqueue=False, hosted=True)
        else:
            options = Options(
                space=agent.space,
                sessions=sessions,
                tier_micros=agent.tier_micros,
                max_parallel=agent.max_parallel,
                enqueue=agent.enqueue,
                verdict_s=0.0,
                hosted=True,
            )
        return Player(engagement.bot, self._api, sign_in, options, say)

    async def _key(self, agent: HostedAgent | Guest) -> str | None:
        if isinstance(agent, HostedAgent) and agent.key is not None:
            return agent.key
        if self._source is None or agent.agent is None:
            return None
        return await self._source.key(agent.agent)

    async def _pause(self, delay_s: float, stop: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(delay_s):
                await stop.wait()
        except TimeoutError:
            pass
