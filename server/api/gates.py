"""Gates and lineages over HTTP: how a candidate is tested, what came to play by it, and the way back."""

from __future__ import annotations

from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.api import problems
from server.api.operation import Operation, Services, as_json, read_body, read_id
from server.api.owned import NOT_YOURS
from server.api.principal import owned_agent
from server.api.problems import Problem
from server.protocol import GateCard, Id
from server.store.gates import GateRow, MatchRow, results_of
from server.store.lineages import LineageRow, NothingToRollBack
from server.training.card import card, drawn, milli
from training.gate import progress
from training.gate.format import Answers
from training.gate.progress import Standing

MOST_MATCHES = 1_000
"""Shown of a gate, the newest."""


class AnswersCard(msgspec.Struct, frozen=True):
    """First attempts at decisions; valid ones were read and legal."""

    turns: int
    valid: int


class GateMatchCard(msgspec.Struct, frozen=True):
    """One attempt at a match: an ordinary session, which anybody may watch."""

    name: str
    """Of its arm, pair and seats; `a` and `b` are one pair. A void match is played again under its name."""
    session: str
    state: Literal["live", "scored", "void"]
    half_points: int | None
    """2 won, 1 drawn, 0 lost; of the candidate, but of the current version in the arm `pool-current`."""
    reason: str
    """Why it is void."""


class GatePlayer(msgspec.Struct, frozen=True):
    """Who sits for the candidate, for the current version and for each rival, in this order: all but the candidate are
    sparring partners, agents of the arena's own that play by the same spec."""

    agent: str
    name: str
    version: str
    """That sits."""
    of: str
    """The version that is met."""


class GateDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A gate as it stands."""

    agent: str
    adapter: str | None
    """CID of the card of the candidate's adapter."""
    created_ms: int
    ended_ms: int | None
    card: GateCard
    llr_milli: list[int]
    """After each pair, in order: the test as it is drawn."""
    scores: list[int]
    """Pairs that scored 0, 1, 2, 3 and 4 half points."""
    candidate: AnswersCard
    current: AnswersCard
    pool_pairs: int
    """Pairs of each against the pool, with the same seeds."""
    pool_milli: int
    """By how much the candidate scored more per match against the pool than the current version, in thousandths."""
    players: list[GatePlayer]
    matches: list[GateMatchCard]
    """Oldest first, the newest 1,000."""
    seed_commit: str
    """SHA-256("agon-gate/1" || gate || plan || seed), hex; public before the first match."""
    seed: str | None
    """Hex; null until the gate has ended."""


class LineageLine(msgspec.Struct, frozen=True):
    """One change of what plays."""

    number: int
    kind: Literal["promoted", "rolled-back"]
    version: str
    """Plays from then on."""
    parent: str
    """Played until then."""
    adapter: str | None
    """Of `version`: CID of its card."""
    gate: str | None
    """By which it was promoted."""
    at_ms: int


class GateSummary(msgspec.Struct, frozen=True):
    gate: str
    space: str
    status: Literal["running", "ended"]
    candidate: str
    current: str
    adapter: str | None
    created_ms: int
    ended_ms: int | None
    decision: Literal["promote", "keep", "undecided"] | None
    reasons: list[str]


class Lineage(msgspec.Struct, frozen=True):
    """How an agent came to play as it does."""

    agent: str
    version: str
    """Plays now."""
    lines: list[LineageLine]
    """Oldest first."""
    gates: list[GateSummary]
    """Newest first, at most 50."""


class RollBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Id | None = None
    """The version that shall play no more; null: the one that plays. Where it does not play by now, nothing is done again."""


async def gate(services: Services, request: Request) -> Response:
    name = read_id(request, "gate")
    row = await services.store.gates.get(name)
    if row is None:
        raise problems.not_found("gate", name)
    matches = await services.store.gates.matches(name)
    standing = progress.standing(row.plan, results_of(matches))
    return as_json(_detail(row, matches, standing), Cache_Control="no-store")


async def lineage(services: Services, request: Request) -> Response:
    name = read_id(request, "agent")
    identity = await services.store.agents.get(name)
    if identity is None:
        raise problems.not_found("agent", name)
    lines = await services.store.lineages.of(name)
    gates = await services.store.gates.of(name)
    found = Lineage(
        name, identity.version, [_line(each) for each in lines], [_summary(each) for each in gates]
    )
    return as_json(found, Cache_Control="no-store")


async def roll_back(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    wanted = await read_body(request, RollBack)
    try:
        line = await services.store.lineages.roll_back(identity.agent, wanted.version)
    except NothingToRollBack as error:
        raise Problem(409, "nothing-to-roll-back", str(error)) from None
    return as_json(_line(line), Cache_Control="no-store")


def _detail(row: GateRow, matches: list[MatchRow], standing: Standing) -> GateDetail:
    seen = standing.seen
    return GateDetail(
        agent=row.agent,
        adapter=row.adapter,
        created_ms=row.created_ms,
        ended_ms=row.ended_ms,
        card=card(row, standing),
        llr_milli=drawn(standing.tests),
        scores=list(standing.test.counts),
        candidate=_answers(seen.candidate),
        current=_answers(seen.current),
        pool_pairs=seen.pool.pairs,
        pool_milli=milli(seen.pool.difference),
        players=[GatePlayer(each.agent, each.name, each.version, each.of) for each in row.players],
        matches=[_match(each) for each in matches[-MOST_MATCHES:]],
        seed_commit=row.seed_commit,
        seed=row.seed.hex() if row.status == "ended" else None,
    )


def _answers(found: Answers) -> AnswersCard:
    return AnswersCard(found.turns, found.valid)


def _match(row: MatchRow) -> GateMatchCard:
    half_points = None if row.result is None else row.result.half_points
    return GateMatchCard(row.match.name, row.session, row.state, half_points, row.reason)


def _line(row: LineageRow) -> LineageLine:
    return LineageLine(**msgspec.structs.asdict(row))


def _summary(row: GateRow) -> GateSummary:
    verdict = row.verdict
    return GateSummary(
        row.gate,
        row.space,
        row.status,
        row.candidate,
        row.current,
        row.adapter,
        row.created_ms,
        row.ended_ms,
        None if verdict is None else verdict.decision,
        [] if verdict is None else list(verdict.reasons),
    )


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getGate",
        path="/v1/gates/{gate}",
        handler=gate,
        summary="A test of a candidate version: its matches, the sequential test as it is drawn, and the verdict",
        answer=GateDetail,
        problems={404: "no such gate"},
        tag="training",
    ),
    Operation(
        id="getLineage",
        path="/v1/agents/{agent}/lineage",
        handler=lineage,
        summary="Which versions of an agent came to play by a gate, and which were taken back",
        answer=Lineage,
        problems={404: "no such agent"},
        tag="training",
    ),
    Operation(
        id="rollBack",
        path="/v1/agents/{agent}/rollback",
        method="POST",
        handler=roll_back,
        summary="Have the parent of the version that plays play again, with the rating that it had",
        answer=LineageLine,
        body=RollBack,
        idempotent=True,
        scopes=("manage",),
        problems=NOT_YOURS
        | {
            409: "what plays was not promoted by a gate, so it has no parent (`nothing-to-roll-back`)"
        },
        tag="training",
    ),
)
