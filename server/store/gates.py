"""Gates: who is tested against whom, and every match with what came of it.

As with tournaments, the matches are the facts that a gate's state follows from (`training.gate.progress`): a match's row is
written before its session is formed, under the session's id, so whoever finds a row without a session forms it, and nothing is
formed twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Row, Select, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.identity import new_id
from server.store import gating, schema
from server.store.agents import UnknownAgent, version_id, version_row
from server.store.engine import Database
from server.store.learning import training_job as _j
from server.training.players import GATE_OWNER, Player, Rival, shown
from training.gate.pairing import Match, Plan
from training.gate.progress import Result
from training.gate.verdict import Verdict

_g, _m = gating.gate, gating.gate_match
_a, _v = schema.agent, schema.agent_version


ATTEMPTS = 3
"""A match that was void so often is given up, and its pair with it."""


class GateRunning(Exception):
    """The agent is being tested already; one gate of an agent runs at a time."""

    def __init__(self, agent: str, gate: str) -> None:
        super().__init__(f"gate {gate} of agent {agent} is running; wait for its verdict")
        self.gate = gate


class NotGated(Exception):
    """The agent cannot be tested as it is; the message says why."""


class StaleGate(Exception):
    """Somebody else plays the gate: what was to be written does not fit what stands."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A gate to be opened."""

    gate: str
    agent: str
    spec: str
    """The candidate's, canonical JSON; its adapter in it."""
    rivals: tuple[Rival, ...] = ()
    at_once: int = 4


class GateRow(msgspec.Struct, frozen=True, kw_only=True):
    """A gate. `seed` is secret until it has ended."""

    gate: str
    agent: str
    space: str
    status: Literal["running", "ended"]
    created_ms: int
    ended_ms: int | None
    candidate: str
    current: str
    adapter: str | None
    plan: Plan
    players: tuple[Player, ...]
    """By the plan's player: candidate, current version, rivals."""
    seed: bytes
    seed_commit: str
    at_once: int
    verdict: Verdict | None


class MatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at a match."""

    match: Match
    attempt: int
    """From 1 on."""
    session: str
    state: Literal["live", "scored", "void"] = "live"
    result: Result | None = None
    reason: str = ""


class Seated(msgspec.Struct, frozen=True):
    """What a gate's plan is made of, once its versions stand."""

    candidate: str
    current: str
    players: tuple[Player, ...]


class Gates:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def seat(self, wanted: Wanted) -> Seated:
        """Make the candidate's version and the sparring partners, as far as they are not there. Idempotent. Raises UnknownAgent,
        and NotGated for a candidate that is no other version than the one that plays."""
        async with self._db.writing() as tx:
            await tx.execute(
                select(_a.c.id).where(_a.c.id == wanted.agent).with_for_update(key_share=True)
            )
            agent = await _playing(tx, wanted.agent)
            if agent is None:
                raise UnknownAgent(f"unknown agent {wanted.agent!r}")
            _check_playing(agent)
            if agent.spec == wanted.spec:
                raise NotGated(f"{agent.version} plays by that very spec already")
            candidate = await self._candidate(tx, wanted)
            current = Rival(shown(agent.name, agent.number), agent.spec)
            met = await self._sparring(tx, current, agent.version)
            pool = [await self._sparring(tx, rival, None) for rival in wanted.rivals]
        own = Player(agent.id, agent.name, candidate, agent.owner, of=candidate)
        return Seated(candidate, agent.version, (own, met, *pool))

    async def _candidate(self, tx: AsyncConnection, wanted: Wanted) -> str:
        query = select(_v.c.id, _v.c.number, _v.c.spec).where(_v.c.agent == wanted.agent)
        rows = (await tx.execute(query)).all()
        for row in rows:
            if row.spec == wanted.spec:
                return str(row.id)
        number = 1 + max(row.number for row in rows)
        made = version_row(wanted.agent, number, wanted.spec, self._clock())
        await tx.execute(_v.insert().values(made))
        return version_id(wanted.agent, number)

    async def _sparring(self, tx: AsyncConnection, rival: Rival, of: str | None) -> Player:
        """The sparring partner that plays by the rival's spec; made where there is none."""
        who = hashlib.sha256(f"{of or rival.name}\n{rival.spec}".encode()).hexdigest()
        now_ms = self._clock()
        owner = self._db.insert(schema.account).values(id=GATE_OWNER, created_ms=now_ms)
        await tx.execute(owner.on_conflict_do_nothing())
        new = {
            "id": new_id(),
            "owner": GATE_OWNER,
            "name": rival.name,
            "name_key": who,
            "kind": "hosted",
            "plays": 1,
            "created_ms": now_ms,
        }
        added = await tx.execute(self._db.insert(_a).values(new).on_conflict_do_nothing())
        query = select(_a.c.id).where(_a.c.owner == GATE_OWNER, _a.c.name_key == who)
        agent: str = (await tx.scalars(query)).one()
        if added.rowcount:
            await tx.execute(_v.insert().values(version_row(agent, 1, rival.spec, now_ms)))
        version = version_id(agent, 1)
        return Player(agent, rival.name, version, GATE_OWNER, of=of or version)

    async def open(self, row: GateRow) -> GateRow:
        """Write the gate; who plays gates finds it. Idempotent by its id: the first one stands and is returned. Raises GateRunning, and
        NotGated where the agent's version has changed since it was seated."""
        async with self._db.writing() as tx:
            await tx.execute(
                select(_a.c.id).where(_a.c.id == row.agent).with_for_update(key_share=True)
            )
            standing = (await tx.execute(select(_g).where(_g.c.id == row.gate))).one_or_none()
            if standing is not None:
                return _gate(standing)
            running = select(_g.c.id).where(_g.c.agent == row.agent, _g.c.status == "running")
            if (other := await tx.scalar(running.limit(1))) is not None:
                raise GateRunning(row.agent, other)
            agent = await _playing(tx, row.agent)
            if agent is None or agent.version != row.current:
                raise NotGated(f"{row.current} does not play any more")
            await tx.execute(_g.insert().values(_written(row)))
        return row

    async def get(self, gate: str) -> GateRow | None:
        async with self._db.reading() as tx:
            row = (await tx.execute(select(_g).where(_g.c.id == gate))).one_or_none()
        return None if row is None else _gate(row)

    async def running(self) -> list[str]:
        """Ids of those that have not ended, oldest first."""
        query = select(_g.c.id).where(_g.c.status == "running").order_by(_g.c.id)
        async with self._db.reading() as tx:
            return list((await tx.scalars(query)).all())

    async def of(self, agent: str, limit: int = 50) -> list[GateRow]:
        """An agent's gates, newest first."""
        query = select(_g).where(_g.c.agent == agent).order_by(_g.c.id.desc()).limit(limit)
        async with self._db.reading() as tx:
            return [_gate(row) for row in (await tx.execute(query)).all()]

    async def matches(self, gate: str) -> list[MatchRow]:
        """All attempts, in the order in which they were begun."""
        query = select(_m).where(_m.c.gate == gate).order_by(_m.c.session)
        async with self._db.reading() as tx:
            return [_match(row) for row in (await tx.execute(query)).all()]

    async def holds(self, session: str) -> str | None:
        """The gate that the session is a match of."""
        async with self._db.looking() as tx:
            found: str | None = await tx.scalar(select(_m.c.gate).where(_m.c.session == session))
        return found

    async def interrupted(self, row: GateRow) -> str | None:
        """Why the gate need not go on: the agent is not any more what it was tested as, or its training is over. None: it is."""
        async with self._db.reading() as tx:
            return await why_interrupted(tx, row)

    async def plan(self, gate: str, rows: Sequence[MatchRow]) -> None:
        """Write matches that are about to be formed. Raises StaleGate."""
        values = [
            {
                "gate": gate,
                "name": row.match.name,
                "attempt": row.attempt,
                "session": row.session,
                "match": msgspec.json.encode(row.match).decode(),
                "state": "live",
            }
            for row in rows
        ]
        try:
            async with self._db.writing() as tx:
                await tx.execute(_m.insert(), values)
        except IntegrityError as error:
            raise StaleGate(f"a match of gate {gate} stands already") from error

    async def settle(self, rows: Sequence[MatchRow]) -> None:
        """Write what came of live matches. Raises StaleGate where one is settled already, and then none is."""
        async with self._db.writing() as tx:
            for row in rows:
                result = None if row.result is None else msgspec.json.encode(row.result).decode()
                done = await tx.execute(
                    update(_m)
                    .where(_m.c.session == row.session, _m.c.state == "live")
                    .values(state=row.state, result=result, reason=row.reason or None)
                )
                if done.rowcount == 0:
                    raise StaleGate(f"session {row.session} is settled already")


def results_of(rows: Sequence[MatchRow]) -> dict[str, Result]:
    """What came of the matches that are over, by name. Pure."""
    found = {row.match.name: row.result for row in rows if row.result is not None}
    given_up = (row for row in rows if row.state == "void" and row.attempt >= ATTEMPTS)
    return found | {row.match.name: Result(None) for row in given_up}


async def end(tx: AsyncConnection, gate: str, verdict: Verdict, now_ms: int) -> bool:
    """Within the caller's transaction: the gate is over. False where it was already; the first verdict stands."""
    ended = await tx.execute(
        update(_g)
        .where(_g.c.id == gate, _g.c.status == "running")
        .values(status="ended", ended_ms=now_ms, verdict=msgspec.json.encode(verdict).decode())
    )
    return bool(ended.rowcount)


async def why_interrupted(tx: AsyncConnection, row: GateRow) -> str | None:
    """As `Gates.interrupted`, within the caller's transaction."""
    agent = await _playing(tx, row.agent)
    if agent is None:
        return "The agent is no more."
    if agent.version != row.current:
        return f"Its owner has changed what plays: {agent.version} does now, {row.current} was met."
    try:
        _check_playing(agent)
    except NotGated as error:
        return str(error)
    # A training's gate has its id. Who ends the training wants the agent left as it is.
    job = (
        await tx.execute(select(_j.c.wanted_off, _j.c.ended_ms).where(_j.c.id == row.gate))
    ).one_or_none()
    if job is not None and job.wanted_off:
        return "Its owner has cancelled the training."
    if job is not None and job.ended_ms is not None:
        return "Its training is over without it."
    return None


def _check_playing(agent: Any) -> None:
    """Raises NotGated."""
    if agent.archived_ms is not None:
        raise NotGated("The agent is archived.")
    if agent.frozen_ms is not None:
        raise NotGated("The agent is frozen.")
    if agent.kind != "hosted":
        raise NotGated("The agent is remote: the arena's runner does not play it.")


async def _playing(tx: AsyncConnection, agent: str) -> Any:
    return (await tx.execute(_agents().where(_a.c.id == agent))).one_or_none()


def _agents() -> Select[Any]:
    return select(
        *(_a.c.id, _a.c.owner, _a.c.name, _a.c.kind, _a.c.archived_ms, _a.c.frozen_ms),
        *(_v.c.id.label("version"), _v.c.number, _v.c.spec),
    ).join_from(_a, _v, (_v.c.agent == _a.c.id) & (_v.c.number == _a.c.plays))


def _written(row: GateRow) -> dict[str, Any]:
    return {
        "id": row.gate,
        "agent": row.agent,
        "space": row.space,
        "status": "running",
        "created_ms": row.created_ms,
        "candidate": row.candidate,
        "current": row.current,
        "adapter": row.adapter,
        "plan": msgspec.json.encode(row.plan).decode(),
        "players": msgspec.json.encode(row.players).decode(),
        "seed": row.seed,
        "seed_commit": row.seed_commit,
        "at_once": row.at_once,
    }


def _gate(row: Row[*tuple[Any, ...]]) -> GateRow:
    values = dict(row._mapping)
    decode = msgspec.json.decode
    verdict = values["verdict"]
    return GateRow(
        gate=values.pop("id"),
        **values
        | {
            "plan": decode(values["plan"], type=Plan),
            "players": decode(values["players"], type=tuple[Player, ...]),
            "verdict": None if verdict is None else decode(verdict, type=Verdict),
        },
    )


def _match(row: Row[*tuple[Any, ...]]) -> MatchRow:
    decode = msgspec.json.decode
    return MatchRow(
        match=decode(row.match, type=Match),
        attempt=row.attempt,
        session=row.session,
        state=row.state,
        result=None if row.result is None else decode(row.result, type=Result),
        reason=row.reason or "",
    )
