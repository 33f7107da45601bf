"""Plays hosted agents, each over the same websocket as any bot.

One agent's failure is its own: it is logged, and the agent comes back after a while. Where it cannot be
played, e.g. since its model does not answer, its session is abandoned: the arena's fault, so void. Calls of
models share one semaphore, so a crowd of rappers queues for the model instead of sinking it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import structlog

from bots import bridged
from bots.api import Api, arena_url
from bots.brains import make
from bots.errors import BotError
from bots.hosted import BrainBot, HostedAgent
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

log = structlog.get_logger()


class Runner:
    """Keeps `agents` playing at the arena `api_url`. `run` once."""

    def __init__(
        self,
        api_url: str,
        agents: Sequence[HostedAgent],
        *,
        keys_file: Path | None = None,
        model_calls: int = MODEL_CALLS,
        abandon_rest_s: float = ABANDON_REST_S,
        say: Say | None = None,
    ) -> None:
        """`keys_file` keeps the agents' keys, so that they are the same agents after a restart.
        `say` is told the journal of every agent; None: the debug log is. Raises BotError for an agent that cannot play.
        """
        self._api = Api(arena_url(api_url))
        self._agents = tuple(agents)
        self._keys_file = keys_file
        self._say = say
        self._abandon_rest_s = abandon_rest_s
        self._limit = asyncio.Semaphore(model_calls)
        self._stop = asyncio.Event()
        self._finished = asyncio.Event()
        self.played: Counter[str] = Counter()
        """Sessions each agent has ended, by name."""
        self._bots = [(agent, self._bot(agent)) for agent in self._agents]

    def _bot(self, agent: HostedAgent) -> BrainBot:
        bridged.offer(agent.space, agent.brain)
        brain = make(agent.brain, agent.space, agent.settings, self._limit)
        return BrainBot(brain, agent.pace_s)

    async def run(self) -> None:
        """Play until every agent has had its sessions, or `drain`. Cancelling leaves at once."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for agent, bot in self._bots:
                    tasks.create_task(self._keep_playing(agent, bot))
        finally:
            for _, bot in self._bots:
                await bot.close()
            self._finished.set()

    async def drain(self, timeout_s: float = 5.0) -> bool:
        """Start no new session; wait for the live ones until `timeout_s` is over.

        True when all have ended; else cancel `run`, which leaves them to their deadlines. Another
        runner with the same keys file may take them over.
        """
        self._stop.set()
        try:
            async with asyncio.timeout(timeout_s):
                await self._finished.wait()
        except TimeoutError:
            return False
        return True

    async def _keep_playing(self, agent: HostedAgent, bot: BrainBot) -> None:
        """Play one agent, again after a failure, until it has had its sessions."""
        reconnect = Reconnect(random.Random())  # noqa: S311 # jitter
        abandoned = 0
        while not self._stop.is_set():
            left = None if agent.sessions is None else agent.sessions - self.played[agent.name]
            if left is not None and left <= 0:
                return
            try:
                batch = 1 if agent.rest_s else left
                player = self._player(agent, bot, batch)
                results = await player.run(self._stop)
                self.played[agent.name] += sum(result.status == "ended" for result in results)
                reconnect.settled(SETTLED_S)
                abandoned = abandoned + 1 if player.abandoned else 0
                await self._pause(max(agent.rest_s, self._abandoned_rest_s(agent, abandoned)))
            except Exception as error:  # one agent's failure is no other's, whatever it is
                known = isinstance(error, BotError)
                log.warning(
                    "hosted_agent_failed", agent=agent.name, reason=str(error), exc_info=not known
                )
                await self._pause(reconnect.delay_s() + 1)

    def _abandoned_rest_s(self, agent: HostedAgent, times: int) -> float:
        if not times:
            return 0.0
        rest_s: float = min(MAX_ABANDON_REST_S, self._abandon_rest_s * 2 ** min(times - 1, 10))
        log.warning("hosted_agent_rests", agent=agent.name, abandoned=times, seconds=rest_s)
        return rest_s

    def _player(self, agent: HostedAgent, bot: BrainBot, sessions: int | None) -> Player:
        def say(line: str) -> None:
            if self._say is None:
                log.debug("hosted_agent", agent=agent.name, line=line)
            else:
                self._say(f"{agent.name}: {line}")

        sign_in = SignIn(
            self._api, agent.name, key=agent.key, keys_file=self._keys_file, say=say, own=True
        )
        options = Options(
            space=agent.space,
            sessions=sessions,
            tier_micros=agent.tier_micros,
            max_parallel=agent.max_parallel,
            enqueue=agent.enqueue,
            verdict_s=0.0,
            hosted=True,
        )
        return Player(bot, self._api, sign_in, options, say)

    async def _pause(self, delay_s: float) -> None:
        try:
            async with asyncio.timeout(delay_s):
                await self._stop.wait()
        except TimeoutError:
            pass
