"""Every part of a process, constructed once and passed in; the roles are made of them.

Nothing else in Agon constructs a client, a store or a role.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from bots.runner import Dress, Runner
from chain.court.commitment import Court
from judges.house import HousePanel
from judges.instruments.embedding import NoVectors, Vectors, load_vectors
from judges.instruments.pronounce import VowelsOf, load_dictionary
from judges.llm import ModelJudge, Style
from server import commentary, probes
from server.admin import voiding
from server.agents.improver import Improver
from server.api.app import create_app
from server.api.health import Health, ready
from server.api.listen import ApiServer
from server.api.operation import as_json
from server.api.problems import Problem
from server.automating import Automating
from server.clock import unix_ms
from server.closing import Closing
from server.config import Config
from server.court import audits
from server.embedded import services
from server.embedded.data_dir import DataDir
from server.entering import Entrance, Holds
from server.gate import Gate
from server.gateway import Gateway
from server.host import Host, Sealed
from server.hosting import Hosted, ModelServer
from server.hostless import Hostless
from server.house_purse import HousePurse
from server.identity import HOUSE_OWNER, new_id
from server.jobs import Worker
from server.jobs.aftermath import Aftermath
from server.jobs.anchored import tell_anchored, tell_refunded
from server.jobs.judge import PANEL_SHARE
from server.jobs.official import OfficialBoards
from server.jobs.pin import ContentStore
from server.leaving import Leaving
from server.live.agents import AgentChannels
from server.live.connection import open_redis
from server.live.feed import Feed
from server.live.hosting import Claims
from server.live.inbox import Inbox
from server.live.lease import Leases
from server.live.log import LiveLog
from server.live.presence import Presence
from server.live.queue import Queues
from server.live.records import SessionRecord
from server.lobby import LobbyPublisher
from server.lost import STALE_MS, LostSessions
from server.matchmaker import Matchmaker
from server.metrics import Metrics
from server.official.document import BoardWindow
from server.official.publish import results_folder
from server.oracle import Oracle, feeds
from server.readiness import Check, Readiness
from server.role import Role, Running
from server.store import Store, open_store, pins
from server.tournament.director import Director
from server.training.gates import GateKeeper
from spaces import registry
from spaces.space import Inquiry, Observation

if TYPE_CHECKING:  # web3 takes a second to import, and a simulation needs none
    from server.court.asking import Desk as CourtDesk
    from server.court.clerk import Clerk
    from server.court.cover import Cover
    from server.court.onchain.rounds import CourtRounds
    from server.operators.rounds import OperatorRounds
    from server.settlement.chain import Chain
    from server.settlement.contracts import Contracts
    from server.settlement.documents import SessionDocuments
    from server.settlement.epochs import Epochs
    from server.settlement.openings import Openings
    from server.settlement.seat_signatures import Desk
    from server.settlement.signing import Signing
    from server.training.models import Models
    from server.training.trainer import Trainer

_log = structlog.get_logger()

UNOPENED_MS = 5_000
"""A session that was formed this long ago and has no live log was left behind by a crash."""


class Parts:
    """What the roles are made of. One of each per process."""

    def __init__(
        self,
        config: Config,
        data: DataDir,
        urls: services.Urls,
        redis: Redis,
        store: Store,
        oracle: Oracle,
        contracts: Contracts | None = None,
    ) -> None:
        """`contracts`: with settlement on a chain."""
        self._contracts = contracts
        self._config, self._data, self._urls = config, data, urls
        self._redis, self._store, self._oracle = redis, store, oracle
        self._name = f"{socket.gethostname()[:20]}-{os.getpid()}-{new_id()[-6:]}"
        self._log = LiveLog(redis)
        self._metrics = Metrics(CollectorRegistry())
        self._readiness = Readiness(probes.services(config, store, redis))
        self._agents = AgentChannels(redis, self._log)
        self._queues = Queues(redis, tiers_open=config.tiers_open)
        self._content = ContentStore(lambda: services.content(config, data))
        self._hosted: Hosted | None = None
        self._models: Models | None = None
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
            Role.MATCHMAKER: lambda: [
                self._make_matchmaker(),
                self._make_lobby(),
                self._make_director(),
                self._make_gatekeeper(),
                self._make_automating(),
            ],
            Role.WORKER: self._make_workers,
            Role.RUNNER: lambda: [
                self._make_runner(agents),
                *self._make_house_purse(agents),
                *filter(None, [self._models]),
            ],
            Role.MODELS: lambda: [self._make_models(at_once=True)],
            Role.TRAINER: lambda: [
                self._make_trainer(),
                *filter(None, [self._models] if Role.RUNNER not in chosen else []),
            ],
        }
        return {role: makers[role]() for role in Role if role in chosen}

    async def close(self) -> None:
        """Let what the log was asked for come to its end."""
        await self._content.close()
        await self._log.close()

    def background(self) -> list[Coroutine[Any, Any, None]]:
        """What every process does beside its roles, until cancelled."""
        works = [services.keep(self._config, self._data, with_llm=self._urls.llm is not None)]
        if self._api is None and self._config.metrics_port:
            app = Starlette(
                routes=[
                    Route("/metrics", self._show_metrics),
                    Route("/healthz", self._show_health),
                    Route("/readyz", self._show_readiness),
                ]
            )
            works.append(ApiServer(app, self._config.api_host, self._config.metrics_port).run())
        return works

    async def _show_metrics(self, request: Request) -> Response:
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def _show_health(self, request: Request) -> Response:
        return as_json(Health())

    async def _show_readiness(self, request: Request) -> Response:
        try:
            return as_json(ready(await self._readiness.look(), arena=False))
        except Problem as problem:
            return problem.response()

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
            improver=self._improver(),
            readiness=self._readiness,
            contracts=self._contracts,
            court=self._court(),
            block_of=self._content.block,
            unpin=self._content.unpin,
        )
        for check in probes.arena(self._config, self._store, self._redis, unix_ms):
            self._readiness.add(check)
        self._api = ApiServer(app, self._config.api_host, self._config.api_port)
        return self._api

    def _court(self) -> Court | None:
        """The one that judges sign for; None where there is none, or the arena wants none."""
        wanted = self._contracts is not None and self._config.court != "off"
        return self._contracts.court if self._contracts is not None and wanted else None

    def _improver(self) -> Improver | None:
        """None in a process that has no model: the embedded one is started for the roles that need it."""
        url = self._urls.llm
        if url is None:
            return None
        config = self._config
        return Improver(
            url, config.llm_model, config.llm_api_key, per_min=config.improvements_per_min
        )

    def _make_gateway(self) -> Gateway:
        self._gateway = Gateway(
            name=self._name,
            config=self._config,
            clock=unix_ms,
            log=self._log,
            feed=Feed(self._redis),
            inbox=Inbox(self._redis),
            queues=self._queues,
            entrance=self._entrance(),
            presence=Presence(self._redis),
            identify=self._store.agents.by_key,
            revoked_since=self._store.keys.revoked_since,
            standing_of=self._store.agents.standing,
            metrics=self._metrics,
            desk=None if self._contracts is None else self._make_desk(self._contracts),
        )
        return self._gateway

    def _make_desk(self, contracts: Contracts) -> Desk:
        from server.settlement.seat_signatures import Desk

        return Desk(self._store, contracts.chain_id, contracts.escrow.address, unix_ms)

    def _entrance(self) -> Entrance:
        return Entrance(
            entries=self._store.entries,
            queues=self._queues,
            rating_of=self._store.ratings.current,
            tiers_open=self._config.tiers_open,
            clock=unix_ms,
            covered=None if self._cover is None else self._cover.check,
        )

    @functools.cached_property
    def _cover(self) -> Cover | None:
        """None where nobody judges with a stake."""
        if self._court() is None:
            return None
        from server.court.cover import Cover

        return Cover(self._store.court_logs, self._config)

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
            answer=self._answer,
            annotate=commentary.annotate,
        )
        self._metrics.sessions_live.set_function(lambda: host.stats.sessions)
        self._readiness.add(probes.goes_on("ticks", lambda: host.stats.ticks))
        return host

    async def _answer(self, record: SessionRecord, inquiry: Inquiry) -> Observation:
        return await self._oracle.answer(record.session, inquiry)

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
            steps=self._following(sealed),
            now_ms=unix_ms(),
        )
        row = await self._store.sessions.get(sealed.session)
        assert row is not None, "just sealed"
        await asyncio.gather(*(self._agents.left(seat.agent, sealed.session) for seat in row.seats))
        self._metrics.sessions_ended.labels(row.space, sealed.status).inc()

    def _following(self, sealed: Sealed) -> Sequence[str]:
        """Where the money is on a chain, the signed result is published at last."""
        on_chain = self._config.settlement == "chain"
        return (*sealed.steps, pins.PUBLISH) if on_chain else sealed.steps

    def _make_lost(self) -> LostSessions:
        return LostSessions(
            sessions=self._store.sessions,
            log=self._log,
            agents=self._agents,
            seal_session=self._seal_session,
            clock=unix_ms,
        )

    def _make_hostless(self) -> Hostless:
        return Hostless(
            name=f"{self._name}-voids",
            log=self._log,
            leases=Leases(self._redis),
            lost=self._make_lost(),
            record_of=self._store.sessions.record,
            seal_session=self._seal_session,
            clock=unix_ms,
        )

    def _make_matchmaker(self) -> Matchmaker:
        holds = Holds(entries=self._store.entries, queues=self._queues, clock=unix_ms)
        entrance = self._entrance()
        leaving = Leaving(entries=self._store.entries, leave=entrance.leave)
        closing = Closing(
            entries=self._store.entries,
            queues=self._queues,
            entrance=entrance,
            spaces=[space.id for space in registry.offered()],
            tiers_open=self._config.tiers_open,
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
            sweeps=(self._make_lost().void, leaving.sweep, closing.sweep, holds.sweep),
            left=holds.released,
            gate=self._make_gate() if self._config.settlement == "chain" else None,
        )

    def _make_gate(self) -> Gate:
        async def turn_ended(session: str, reason: str) -> bool:
            return await voiding.turn_ended(self._store.database, session, reason, unix_ms())

        return Gate(
            rows=self._store.openings,
            log=self._log,
            lost=self._make_lost(),
            hostless=self._make_hostless().void,
            inbox=Inbox(self._redis),
            turn_ended=turn_ended,
            clock=unix_ms,
        )

    def _make_director(self) -> Director:
        return Director(
            name=self._name,
            redis=self._redis,
            log=self._log,
            tournaments=self._store.tournaments,
            sessions=self._store.sessions,
            form_session=self._form_session,
            opened=self._store.sessions.opened,
            spectator_delay_ms=self._config.spectator_delay_ms,
        )

    def _make_gatekeeper(self) -> GateKeeper:
        return GateKeeper(
            name=self._name,
            redis=self._redis,
            log=self._log,
            store=self._store,
            form_session=self._form_session,
            opened=self._store.sessions.opened,
            spectator_delay_ms=self._config.spectator_delay_ms,
        )

    def _make_automating(self) -> Automating:
        return Automating(
            name=self._name,
            redis=self._redis,
            work=self._store.due_automations,
            automations=self._store.automations,
            entrance=self._entrance(),
            channels=self._agents,
            metrics=self._metrics,
        )

    async def _form_session(self, record: SessionRecord) -> SessionRecord:
        """Raises NotFormed; of a session that stands already nothing is asked again."""
        if self._cover is not None and await self._store.sessions.get(record.session) is None:
            await self._cover.check(record.space, record.tier_micros)
        standing = await self._store.sessions.form(record)
        self._metrics.formed.labels(record.space).inc()
        return standing

    async def _unopened(self) -> list[SessionRecord]:
        now_ms = unix_ms()
        return await self._store.sessions.unopened(now_ms - UNOPENED_MS, since_ms=now_ms - STALE_MS)

    def _make_workers(self) -> list[Running]:
        """The worker, and what leads beside it; with a chain that has a court the worker asks it."""
        if self._contracts is None:
            return [self._make_worker(None), self._make_official()]
        chain = self._make_chain(self._contracts)
        court = self._make_court(chain)
        if court is None:
            return [self._make_worker(None), self._make_official(), chain]
        chain.rounds += [*court.rounds, self._make_clerk(self._contracts, court)]
        return [self._make_worker(court), self._make_official(), chain]

    def _make_worker(self, court: CourtRounds | None) -> Worker:
        # A model of the operator's choice gives points and reasons; the embedded one is too small for
        # that, but leans to one side when asked who is better.
        judge = ModelJudge(
            url=self._llm_url(),
            model=self._config.llm_model,
            api_key=self._config.llm_api_key,
            style=Style.SCORES if self._config.llm_url else Style.LEANINGS,
            budget_s=PANEL_SHARE * self._config.judge_timeout_s,
        )
        vowels_of, vectors = load_dictionary(), self._vectors()
        worker = Worker(
            store=self._store,
            redis=self._redis,
            log=self._log,
            panel=HousePanel([judge], vowels_of, vectors),
            court=None if court is None else self._make_desk_of_court(court, vowels_of, vectors),
            hostless=self._make_hostless(),
            open_content=lambda: services.content(self._config, self._data),
            config=self._config,
            metrics=self._metrics,
            simulated=self._contracts is None,
            documents=None if self._contracts is None else self._documents(self._contracts),
        )
        self._readiness.add(probes.goes_on("sweeps", lambda: worker.sweeps))
        return worker

    def _vectors(self) -> Vectors | None:
        """Evidence goes without what works are about where the word vectors are not installed."""
        try:
            return load_vectors()
        except NoVectors as error:
            _log.warning("no_vectors", reason=str(error))
            return None

    def _make_official(self) -> OfficialBoards:
        return OfficialBoards(
            name=self._name,
            redis=self._redis,
            store=self._store,
            folder=results_folder(self._config),
            spaces=[space.id for space in registry.offered()],
            every_s=self._config.official_every_s,
            window=BoardWindow(self._config.official_days, self._config.official_sessions),
            delay_ms=self._config.spectator_delay_ms,
        )

    def _make_chain(self, contracts: Contracts) -> Chain:
        from server.settlement.chain import Chain
        from server.settlement.contracts import settler_key

        chain = Chain(
            contracts=contracts,
            key=settler_key(self._config, self._data),
            store=self._store,
            redis=self._redis,
            config=self._config,
            metrics=self._metrics,
            name=self._name,
            clock=unix_ms,
        )
        chain.rounds += [self._make_openings(chain), self._make_epochs(chain)]
        chain.rounds += self._make_operators(chain).rounds
        self._readiness.add(Check("chain", False, chain.probe))
        return chain

    def _make_openings(self, chain: Chain) -> Openings:
        from server.settlement.openings import Openings

        return Openings(
            rows=self._store.openings,
            writer=chain.writer,
            escrow=chain.contracts.escrow,
            agrees=chain.compare.agrees,
            clock=unix_ms,
            patience_ms=self._config.opening_patience_s * 1_000,
        )

    def _make_epochs(self, chain: Chain) -> Epochs:
        from server.settlement.alarms import ChainAlarms
        from server.settlement.epochs import Epochs

        contracts, aftermath = chain.contracts, Aftermath(self._log, unix_ms)
        return Epochs(
            store=self._store,
            documents=self._documents(contracts),
            signing=self._signing(contracts),
            node=contracts.node,
            escrow=contracts.escrow,
            chain_id=contracts.chain_id,
            treasury=contracts.treasury,
            writer=chain.writer,
            content=self._content,
            every_s=self._config.epoch_every_s,
            clock=unix_ms,
            alarm=ChainAlarms(self._metrics).writer,
            anchored=functools.partial(tell_anchored, aftermath),
            refunded=functools.partial(tell_refunded, aftermath),
        )

    def _documents(self, contracts: Contracts) -> SessionDocuments:
        from server.settlement.documents import SessionDocuments

        return SessionDocuments(self._store, self._signing(contracts))

    def _signing(self, contracts: Contracts) -> Signing:
        """Only workers have the key."""
        from server.settlement.contracts import settler_key
        from server.settlement.signing import Signing

        key = settler_key(self._config, self._data)
        return Signing(key, contracts.chain_id, contracts.escrow.address)

    def _make_operators(self, chain: Chain) -> OperatorRounds:
        from server.operators.rounds import OperatorRounds

        return OperatorRounds(
            node=chain.contracts.node,
            manifest=chain.contracts.manifest,
            writer=chain.writer,
            store=self._store,
            content=self._content,
            config=self._config,
            metrics=self._metrics,
            clock=unix_ms,
        )

    def _make_court(self, chain: Chain) -> CourtRounds | None:
        """None where the deployment has no court, or the arena wants none."""
        from server.court.onchain.rounds import CourtRounds, has_court

        if self._config.court == "off" or not has_court(chain.contracts.manifest):
            return None
        return CourtRounds(
            node=chain.contracts.node,
            manifest=chain.contracts.manifest,
            writer=chain.writer,
            store=self._store,
            content=self._content,
            config=self._config,
            metrics=self._metrics,
            clock=unix_ms,
        )

    def _make_clerk(self, contracts: Contracts, court: CourtRounds) -> Clerk:
        from server.court.clerk import Clerk
        from server.court.telling import Telling

        found = contracts.court
        assert found is not None, "its rounds were made"
        return Clerk(
            store=self._store,
            chain=court.side,
            court=found,
            content=self._content,
            clock=unix_ms,
            patience_s=self._config.court_patience_s,
            told=Telling(store=self._store, log=self._log, clock=unix_ms).round,
            sign=self._signing(contracts).case,
        )

    def _make_desk_of_court(
        self, court: CourtRounds, vowels_of: VowelsOf, vectors: Vectors | None
    ) -> CourtDesk:
        from server.court.asking import Desk

        return Desk(
            store=self._store,
            chain=court.side,
            config=self._config,
            clock=unix_ms,
            vowels_of=vowels_of,
            vectors=vectors,
        )

    async def _house(self, quotas: Mapping[str, int]) -> list[HostedAgent]:
        """The house's agents of the Spaces with a quota."""
        server = (self._llm_url(), self._config.llm_model, self._config.llm_api_key)
        return [
            msgspec.structs.replace(
                agent,
                agent=await self._house_member(agent.name),
                tier_micros=self._config.house_tier,
            )
            for space, count in quotas.items()
            if space
            in {each.id for each in registry.offered()}  # what cannot be loaded is withdrawn
            for agent in house_agents(space, *server, sessions=count or None)
        ]

    async def _house_member(self, name: str) -> str:
        """The id of the house's agent of that name, made when it is new. It needs no key of its own: the
        runner's source gives it one for each stay."""
        identity = await self._store.agents.named(HOUSE_OWNER, name)
        if identity is None:
            identity, key = await self._store.agents.register(name, HOUSE_OWNER, "hosted")
            await self._store.agents.revoke(key)
        return identity.agent

    def _make_house_purse(self, agents: Sequence[HostedAgent]) -> list[HousePurse]:
        tier = self._config.house_tier
        ids = [each.agent for each in agents if each.agent is not None]
        return [HousePurse(self._store, ids, tier)] if tier and ids else []

    def _make_runner(self, agents: Sequence[HostedAgent]) -> Runner:
        self._hosted = Hosted(
            self._store.hosting,
            Claims(self._redis, self._name),
            ModelServer(self._llm_url(), self._config.llm_model, self._config.llm_api_key),
            capacity=self._config.hosted_capacity,
            adapters=self._adapters(),
        )
        return Runner(
            self._api_address(),
            agents,
            source=self._hosted,
            model_calls=self._config.model_calls,
            guest_pace_s=self._config.hosted_pace_ms / 1_000,
            dressed=self._make_audits(agents),
        )

    def _adapters(self) -> Callable[[], ModelServer]:
        """The model gateway that is named, else one of our own, which starts when it is asked for."""
        base = self._config.training_base
        if self._config.models_url:
            named = ModelServer(self._config.models_url, base)
            return lambda: named
        models = self._models or self._make_models(at_once=False)
        self._models = models
        return lambda: ModelServer(models.url(), base)

    def _make_trainer(self) -> Trainer:
        """Raises ConfigError where what trains is not installed."""
        from server.training import composing, folders

        return composing.make(
            config=self._config,
            store=self._store,
            redis=self._redis,
            content=self._content,
            folder=self._data.folder(folders.NAME),
            name=self._name,
            gateway=self._adapters(),
        )

    def _make_models(self, *, at_once: bool) -> Models:
        from server.training.models import Models, embedded, vllm_service

        config = self._config
        open_ = functools.partial(
            embedded,
            self._store.adapters,
            self._content,
            self._data.file("adapters"),
            config.training_base,
            config.models_adapters,
            self._data.file("models.log"),
            vllm_service(config.models_vllm_url, config.models_vllm_key_file),
        )
        port = config.models_port if at_once else 0
        return Models(open_, config.models_host if at_once else "127.0.0.1", port, at_once=at_once)

    def _make_audits(self, agents: Sequence[HostedAgent]) -> Dress | None:
        """None where no battle is a hidden audit. Raises ConfigError."""
        if not audits.audited(self._config) or not agents:
            return None
        key = audits.audit_key(self._data.file(audits.KEY_FILE))
        house = [each.agent for each in agents if each.agent is not None]
        return audits.Audits(self._store, key, self._config.audit_share, house).dressed

    async def end_hosting(self) -> None:
        """The runner's keys and claims end with the process that has them."""
        if self._hosted is not None:
            await self._hosted.close()

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
            queues=self._queues,
            presence=Presence(self._redis),
            openings=self._store.openings if self._config.settlement == "chain" else None,
            delay_ms=self._config.spectator_delay_ms,
        )


def load_spaces() -> None:
    """Before the first session, since what takes seconds here would stop a tick there. A Space that
    cannot be loaded is not offered, and the others are."""
    for space in registry.offered():
        try:
            space.load()
        except Exception as error:  # any: a library may be missing, of another version, or broken
            registry.withdraw(space.id)
            _log.error("space not offered", space=space.id, reason=str(error))


@contextlib.asynccontextmanager
async def open_parts(config: Config, chosen: frozenset[Role]) -> AsyncIterator[Parts]:
    """Open what all roles share, and close it in the opposite order."""
    with_llm = bool(chosen & {Role.WORKER, Role.RUNNER})
    async with contextlib.AsyncExitStack() as stack:
        data = stack.enter_context(DataDir(config.data_dir))
        loading = asyncio.create_task(asyncio.to_thread(load_spaces))
        urls = await services.start(config, data, with_llm=with_llm)
        redis = open_redis(urls.redis)
        stack.push_async_callback(redis.aclose, close_connection_pool=True)
        store = await open_store(urls.database, escrowed=config.settlement == "chain")
        stack.push_async_callback(store.close)
        contracts = None
        if config.settlement == "chain":
            from server.settlement import contracts as found

            contracts = await found.find(config, data)
            stack.push_async_callback(contracts.close)
            await found.check_books(config, data, store)
        oracle = feeds.oracle(
            config.oracle_series_file, config.oracle_series_columns, config.oracle_exchange
        )
        stack.push_async_callback(oracle.close)
        await loading
        parts = Parts(config, data, urls, redis, store, oracle, contracts)
        stack.push_async_callback(parts.close)
        yield parts
