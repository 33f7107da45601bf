"""The composition root: constructs every part, passes it in, and runs the chosen roles in one loop.

`agon serve` runs all roles in one process, `agon serve --role R` some of them; the code is the same.
Nothing else in Agon constructs a client, a store or a role.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bots.hosted import HostedAgent
from bots.house import house_agents
from bots.runner import Runner
from judges.house import HousePanel
from judges.instruments.pronounce import load_dictionary
from judges.llm import ModelJudge, Style
from server import garbage
from server.api.app import create_app
from server.api.listen import ApiServer
from server.clock import unix_ms
from server.config import Config, ConfigError
from server.embedded import services
from server.embedded.data_dir import DataDir
from server.gateway import Gateway
from server.host import Host, Sealed
from server.identity import new_id
from server.jobs import Worker
from server.jobs.judge import PANEL_SHARE
from server.live.agents import AgentChannels
from server.live.connection import open_redis
from server.live.feed import Feed
from server.live.inbox import Inbox
from server.live.lease import Leases
from server.live.log import LiveLog
from server.live.presence import Presence
from server.live.queue import Queues
from server.live.records import SessionRecord
from server.lobby import LobbyPublisher
from server.lost import LostSessions
from server.matchmaker import Matchmaker
from server.metrics import Metrics
from server.store import Store, open_store
from spaces import registry

_log = structlog.get_logger()

HOUSE_OWNER = "house"
UNOPENED_MS = 5_000
"""A session that was formed this long ago and has no live log was left behind by a crash."""


class Role(enum.StrEnum):
    """What a process does; see DESIGN, section 2."""

    API = "api"
    GATEWAY = "gateway"
    HOST = "host"
    MATCHMAKER = "matchmaker"
    WORKER = "worker"
    RUNNER = "runner"


class Running(Protocol):
    """A role at work: `run` serves until `drain` or cancelled; `drain` hands over what it holds."""

    async def run(self) -> None: ...

    async def drain(self) -> object: ...


DRAIN_ORDER = (Role.RUNNER, Role.MATCHMAKER, Role.GATEWAY, Role.API, Role.HOST, Role.WORKER)
"""Who makes work stops before who does it, and who tells clients before who serves them."""


def parse_roles(names: Iterable[str] | None) -> frozenset[Role]:
    """Roles from repeated or comma-separated names; none means all. Raises ConfigError."""
    chosen = [part.strip() for name in names or () for part in name.split(",") if part.strip()]
    known = [role.value for role in Role]
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise ConfigError(f"no role {', '.join(unknown)}; there are: {', '.join(known)}")
    return frozenset(Role(name) for name in chosen) or frozenset(Role)


def parse_house(text: str) -> dict[str, int]:
    """Which Spaces the house plays, and how many sessions (0: without end). Raises ConfigError."""
    known = [space.id for space in registry.all_spaces()]
    if text in ("all", "none"):
        return dict.fromkeys(known, 0) if text == "all" else {}
    quotas: dict[str, int] = {}
    for part in text.split(","):
        space, _, count = part.partition("=")
        if space not in known or not (count or "0").isdecimal():
            raise ConfigError(
                f"--house {part!r}: expected SPACE or SPACE=COUNT with a Space of {', '.join(known)}"
            )
        quotas[space] = int(count or 0)
    return quotas


async def serve(
    config: Config,
    chosen: frozenset[Role],
    *,
    house: Mapping[str, int],
    ready_file: Path | None = None,
    stop_with_stdin: bool = False,
) -> None:
    """Run the chosen roles until SIGTERM, SIGINT, or one of them fails; then drain them in order.

    `ready_file` is written, as JSON with the addresses, once everything serves.
    """
    os.umask(0o077)  # records and logs are the user's alone
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if stop_with_stdin:
        loop.add_reader(sys.stdin.fileno(), _read_until_end, stop)
    _log.info(
        "starting", roles=[role.value for role in Role if role in chosen], data=config.data_dir
    )
    async with _parts(config, chosen) as parts:
        roles = await parts.roles(chosen, house)
        try:
            await _run(parts, roles, stop, ready_file)
        finally:
            await parts.revoke_house_keys()


def _read_until_end(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4_096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()


async def _run(
    parts: Parts, roles: dict[Role, list[Running]], stop: asyncio.Event, ready_file: Path | None
) -> None:
    async with asyncio.TaskGroup() as group:
        background = [group.create_task(work) for work in parts.background()]
        tasks: list[asyncio.Task[None]] = []
        # The gateway first: from its first answer on, the API names the gateway's address.
        for role in sorted(roles, key=lambda role: role is not Role.GATEWAY):
            tasks += [group.create_task(each.run(), name=role.value) for each in roles[role]]
            if role is Role.GATEWAY:
                await parts.gateway_ready()
        garbage.tune()
        parts.announce(ready_file)
        await stop.wait()  # or the group's first failure, which cancels this
        _log.info("draining", roles=[role.value for role in roles])
        for role in DRAIN_ORDER:
            for running in roles.get(role, ()):
                await running.drain()
        for task in (*tasks, *background):
            task.cancel()


class Parts:
    """What the roles are made of. One of each per process."""

    def __init__(
        self, config: Config, data: DataDir, urls: services.Urls, redis: Redis, store: Store
    ) -> None:
        self._config, self._data, self._urls = config, data, urls
        self._redis, self._store = redis, store
        self._name = f"{socket.gethostname()[:20]}-{os.getpid()}-{new_id()[-6:]}"
        self._log = LiveLog(redis)
        self._metrics = Metrics(CollectorRegistry())
        self._agents = AgentChannels(redis, self._log)
        self._house_keys: list[str] = []
        self._gateway: Gateway | None = None
        self._api: ApiServer | None = None

    async def roles(
        self, chosen: frozenset[Role], house: Mapping[str, int]
    ) -> dict[Role, list[Running]]:
        """Construct the chosen roles. Raises CannotListen."""
        agents = await self._house(house) if Role.RUNNER in chosen else ()
        makers: dict[Role, Callable[[], list[Running]]] = {
            Role.API: lambda: [self._make_api()],
            Role.GATEWAY: lambda: [self._make_gateway()],
            Role.HOST: lambda: [self._make_host()],
            Role.MATCHMAKER: lambda: [self._make_matchmaker(), self._make_lobby()],
            Role.WORKER: lambda: [self._make_worker()],
            Role.RUNNER: lambda: [self._make_runner(agents)],
        }
        return {role: makers[role]() for role in Role if role in chosen}

    def background(self) -> list[Coroutine[Any, Any, None]]:
        """What every process does beside its roles, until cancelled."""
        works = [services.keep(self._config, self._data, with_llm=self._urls.llm is not None)]
        if self._api is None and self._config.metrics_port:
            app = Starlette(routes=[Route("/metrics", self._show_metrics)])
            works.append(ApiServer(app, self._config.api_host, self._config.metrics_port).run())
        return works

    async def _show_metrics(self, request: Request) -> Response:
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def gateway_ready(self) -> None:
        """Return once our gateway, if there is one, has an address."""
        if self._gateway is not None:
            await self._gateway.ready()

    def announce(self, ready_file: Path | None) -> None:
        """Say where we serve."""
        addresses = {
            "api": "" if self._api is None else self._api.address,
            "gateway": "" if self._gateway is None else self._gateway.address,
        }
        _log.info("serving", process=self._name, **{k: v for k, v in addresses.items() if v})
        if self._api is not None and sys.stderr.isatty():
            print(
                f"\nThe arena is open at {self._api.address}. Watch it: agon watch --url {self._api.address}\n",
                file=sys.stderr,
            )
        if ready_file is not None:
            written = ready_file.with_suffix(".new")
            written.write_text(json.dumps(addresses), encoding="utf-8")
            written.replace(ready_file)

    def _gateway_address(self) -> str:
        if self._config.gateway_public_url:
            return self._config.gateway_public_url
        if self._gateway is not None:
            return self._gateway.address
        return f"ws://{self._config.gateway_host}:{self._config.gateway_port}"

    def _make_api(self) -> ApiServer:
        app = create_app(
            config=self._config,
            store=self._store,
            redis=self._redis,
            gateway_address=self._gateway_address,
            metrics=self._metrics,
        )
        self._api = ApiServer(app, self._config.api_host, self._config.api_port)
        return self._api

    def _make_gateway(self) -> Gateway:
        self._gateway = Gateway(
            name=self._name,
            config=self._config,
            clock=unix_ms,
            log=self._log,
            feed=Feed(self._redis),
            inbox=Inbox(self._redis),
            queues=Queues(self._redis, tiers_open=self._config.tiers_open),
            presence=Presence(self._redis),
            identify=self._store.agents.by_key,
            rating_of=self._store.ratings.current,
            metrics=self._metrics,
        )
        return self._gateway

    def _make_host(self) -> Host:
        host = Host(
            name=self._name,
            log=self._log,
            inbox=Inbox(self._redis),
            leases=Leases(self._redis),
            seal_session=self._seal_session,
            config=self._config,
            clock=unix_ms,
            observe_tick=self._observe_tick,
        )
        self._metrics.sessions_live.set_function(lambda: host.stats.sessions)
        return host

    def _observe_tick(self, work_s: float, lateness_s: float) -> None:
        self._metrics.tick_work.observe(work_s)
        self._metrics.tick_lateness.observe(lateness_s)

    async def _seal_session(self, sealed: Sealed) -> None:
        await self._store.sessions.seal(
            session=sealed.session,
            status=sealed.status,
            outcome=sealed.outcome,
            document=sealed.document,
            digest=sealed.digest,
            steps=sealed.steps,
            now_ms=unix_ms(),
        )
        row = await self._store.sessions.get(sealed.session)
        assert row is not None, "just sealed"
        for seat in row.seats:
            await self._agents.left(seat.agent, sealed.session)
        self._metrics.sessions_ended.labels(row.space, sealed.status).inc()

    def _make_matchmaker(self) -> Matchmaker:
        lost = LostSessions(
            sessions=self._store.sessions,
            log=self._log,
            agents=self._agents,
            seal_session=self._seal_session,
            clock=unix_ms,
        )
        return Matchmaker(
            name=self._name,
            redis=self._redis,
            log=self._log,
            form_session=self._form_session,
            config=self._config,
            opened=self._store.sessions.opened,
            unopened=self._unopened,
            void_lost=lost.void,
        )

    async def _form_session(self, record: SessionRecord) -> None:
        await self._store.sessions.form(record)
        self._metrics.formed.labels(record.space).inc()

    async def _unopened(self) -> list[SessionRecord]:
        return await self._store.sessions.unopened(unix_ms() - UNOPENED_MS)

    def _make_worker(self) -> Worker:
        # A model of the operator's choice gives points and reasons; the embedded one is too small for
        # that, but leans to one side when asked who is better.
        judge = ModelJudge(
            url=self._llm_url(),
            model=self._config.llm_model,
            api_key=self._config.llm_api_key,
            style=Style.SCORES if self._config.llm_url else Style.LEANINGS,
            budget_s=PANEL_SHARE * self._config.judge_timeout_s,
        )
        return Worker(
            store=self._store,
            redis=self._redis,
            log=self._log,
            panel=HousePanel([judge], load_dictionary()),
            config=self._config,
            metrics=self._metrics,
        )

    async def _house(self, quotas: Mapping[str, int]) -> list[HostedAgent]:
        """The house's agents of the Spaces with a quota, each with a key of this process."""
        agents = []
        for agent in house_agents(
            self._llm_url(), self._config.llm_model, self._config.llm_api_key
        ):
            if agent.space in quotas:
                identity = await self._store.agents.named(HOUSE_OWNER, agent.name)
                if identity is None:
                    _, key = await self._store.agents.register(agent.name, HOUSE_OWNER, "hosted")
                else:
                    key = await self._store.agents.issue_key(identity.agent)
                self._house_keys.append(key)
                sessions = quotas[agent.space] or None
                agents.append(msgspec.structs.replace(agent, key=key, sessions=sessions))
        return agents

    async def revoke_house_keys(self) -> None:
        """The house's keys end with the process that made them."""
        for key in self._house_keys:
            await self._store.agents.revoke(key)

    def _make_runner(self, agents: Sequence[HostedAgent]) -> Runner:
        return Runner(self._api_address(), agents, model_calls=self._config.model_calls)

    def _api_address(self) -> str:
        if self._api is not None:
            return self._api.address
        return f"http://{self._config.api_host}:{self._config.api_port}"

    def _llm_url(self) -> str:
        assert self._urls.llm is not None, "opened with a model for the roles that need one"
        return self._urls.llm

    def _make_lobby(self) -> LobbyPublisher:
        return LobbyPublisher(
            name=self._name,
            redis=self._redis,
            log=self._log,
            feed=Feed(self._redis),
            queues=Queues(self._redis, tiers_open=self._config.tiers_open),
            presence=Presence(self._redis),
            delay_ms=self._config.spectator_delay_ms,
        )


@contextlib.asynccontextmanager
async def _parts(config: Config, chosen: frozenset[Role]) -> AsyncIterator[Parts]:
    """Open what all roles share, and close it in the opposite order."""
    with_llm = bool(chosen & {Role.WORKER, Role.RUNNER})
    async with contextlib.AsyncExitStack() as stack:
        data = stack.enter_context(DataDir(config.data_dir))
        urls = await services.start(config, data, with_llm=with_llm)
        redis = open_redis(urls.redis)
        stack.push_async_callback(redis.aclose, close_connection_pool=True)
        store = await open_store(urls.database)
        stack.push_async_callback(store.close)
        yield Parts(config, data, urls, redis, store)
