"""Finished sessions for the tests of what follows them: really played, sealed, stored and live."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable

import msgspec
from redis.asyncio import Redis

from judges.case import Case
from judges.faults import JudgeUnavailable
from judges.house import Judging
from judges.verdict import Evidence, LineVerdict, Verdict
from server.clock import unix_ms
from server.config import Config
from server.embedded.data_dir import ServiceFailed
from server.host.sealed import Sealed
from server.hostless import Hostless
from server.identity import Identity, new_id
from server.jobs import Worker
from server.jobs.pin import Open
from server.live import keys
from server.live.agents import AgentChannels
from server.live.lease import Leases
from server.live.log import LiveLog
from server.live.records import LogEvent, SeatRecord, SessionRecord
from server.lost import LostSessions
from server.match import document, initial_views, open_event
from server.protocol import SessionView
from server.store import Store
from spaces import registry, transcript
from tests.server.match_table import Table

CONFIG = Config(data_dir="unused", judge_timeout_s=20, job_attempts=3, drain_ms=2_000)
HOST = "host-1"

_names = itertools.count()


class Seats:
    """Agents that meet again and again."""

    def __init__(self, *agents: Identity) -> None:
        self.agents = agents

    @classmethod
    async def registered(cls, store: Store, count: int = 2) -> Seats:
        made = [(await store.agents.register(f"Agent {next(_names)}"))[0] for _ in range(count)]
        return cls(*made)

    def record(self, space: str) -> SessionRecord:
        seats = tuple(
            SeatRecord(i, each.agent, each.name, each.version, each.owner, bytes([i]) * 32)
            for i, each in enumerate(self.agents)
        )
        rules = registry.get(space)
        return SessionRecord(new_id(), space, rules.rules, {}, 0, unix_ms(), b"\x07" * 32, seats)


def played(record: SessionRecord, *, silent: int | None = None) -> Table:
    """The session's match, played to its end: battles with words, boards by seat 0 outbidding all."""
    table = Table(record)
    while table.match.status == "live":
        if table.match.inquiry is not None:
            table.hear()
            continue
        view = table.match.views().public
        assert isinstance(view, SessionView)
        decision = view.decisions[0]
        if decision.seat == silent:
            table.wait(decision.deadline_ms - table.now + 1)
            continue
        for each in view.decisions:
            table.act(each.seat, _answer(view, each.seat, each.kind))
    return table


def _answer(view: SessionView, seat: int, kind: str) -> str:
    match kind:
        case "bid":
            return f"bid: {20 if seat == 0 else 1}"
        case "mark":
            return f"cell: {view.state['board'].index('.')}"
        case "guess":
            return str(40 + seat)
        case _:
            return f"rhyme {view.turn} in time\nseat {seat} so fine"


async def finish(
    store: Store,
    redis: Redis,
    seats: Seats,
    space: str = "rap-battle",
    *,
    digest: bool = True,
    ask: Callable[[str], Awaitable[None]] | None = None,
    steps: tuple[str, ...] | None = None,
) -> str:
    """A session that has been played, sealed and stored; without `digest` its host died right then.

    `ask` is called while it is live."""
    record = seats.record(space)
    log = LiveLog(redis)
    await store.sessions.form(record)
    await log.open_session(record, open_event(record), initial_views(record))
    await store.sessions.opened(record.session)
    if ask is not None:
        await ask(record.session)
    table = played(record)
    token = dict(await Leases(redis).claim(HOST, 100))[record.session]
    mark = keys.lease_mark(token, HOST)
    await log.append(record.session, mark, "play", table.log[1:], table.match.views())
    body = document(record, table.log)
    outcome = table.match.outcome
    assert outcome is not None
    await store.sessions.seal(
        session=record.session,
        status="ended",
        outcome=outcome,
        document=body,
        digest=transcript.digest(body),
        steps=steps
        or (("judge", "settle", "rate") if outcome["returns"] is None else ("settle", "rate")),
        now_ms=unix_ms(),
    )
    if digest:
        table.match.seal(transcript.digest(body), table.now)
        events = table.collect()
        await log.seal(record.session, mark, "seal", events, table.match.views())
    return record.session


async def view(redis: Redis, session: str) -> SessionView:
    head = await LiveLog(redis).head(keys.session_channel(session))
    assert head is not None
    assert head.views is not None
    assert isinstance(head.views.public, SessionView)
    for seat in head.views.seats:
        public = head.views.public
        assert (seat.verdict, seat.steps) == (public.verdict, public.steps)
    return head.views.public


async def events(redis: Redis, session: str, *types: str) -> list[LogEvent]:
    log = await LiveLog(redis).read(keys.session_channel(session), 0, 10_000)
    return [each for each in log if each.type in types]


def verdict(first: int = 7_000, second: int = 5_500) -> Verdict:
    return Verdict(
        rubric="rap-battle/1",
        lines=(LineVerdict("flow", (first, second), ("tight", "loose")),),
        totals_milli=(first, second),
        ranks=(1, 2) if first > second else (2, 1),
        evidence=(Evidence("rhyme factor", (900, 400), "mean vowels"),),
        judges=("test-judge",),
    )


class ScriptedPanel:
    """A panel that finds what it is told to, after as many failures as it is told to have."""

    def __init__(self, found: Verdict | None = None, *, failures: int = 0) -> None:
        self.found = found or verdict()
        self.failures = failures
        self.cases: list[Case] = []
        self.nonces: list[str] = []

    async def judge(self, case: Case, nonce: str) -> Judging:
        self.cases.append(case)
        self.nonces.append(nonce)
        if len(self.cases) <= self.failures:
            raise JudgeUnavailable("the model server answered 503")
        return Judging(self.found, ())


def hostless(store: Store, redis: Redis) -> Hostless:
    """What voids sessions that no host plays, as parts.py makes it."""
    log, agents = LiveLog(redis), AgentChannels(redis)

    async def seal(sealed: Sealed) -> None:
        await store.sessions.seal(
            session=sealed.session,
            status=sealed.status,
            outcome=sealed.outcome,
            document=sealed.document,
            digest=sealed.digest,
            steps=sealed.steps,
            now_ms=unix_ms(),
        )

    return Hostless(
        name=f"worker-{next(_names)}",
        log=log,
        leases=Leases(redis),
        lost=LostSessions(
            sessions=store.sessions, log=log, agents=agents, seal_session=seal, clock=unix_ms
        ),
        record_of=store.sessions.record,
        seal_session=seal,
        clock=unix_ms,
    )


async def no_content() -> str:
    raise ServiceFailed("there is no content store here")


def worker(
    store: Store,
    redis: Redis,
    panel: ScriptedPanel,
    *,
    open_content: Open = no_content,
    **changes: object,
) -> Worker:
    return Worker(
        store=store,
        redis=redis,
        log=LiveLog(redis),
        panel=panel,
        hostless=hostless(store, redis),
        open_content=open_content,
        config=msgspec.structs.replace(CONFIG, **changes),
        sweep_s=0.02,
    )
