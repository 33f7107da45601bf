"""Dashboards: how an agent does, session by session and over time.

All of it is public but an agent's automation, which its owner alone is shown. Who played whom, for what
entry and for what pay-out stands in each session's result anyway; what is left on an account is nobody
else's business, and nothing here tells it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server import dashboard, leagues
from server.api import problems
from server.api.operation import Limit, Operation, Services, as_json, read_id, read_query
from server.api.principal import authenticate, bearer
from server.automating import card_of
from server.career import of_seat
from server.dashboard import MoneyCard, RecordCard, SpaceResults
from server.experience import Level
from server.ledger import tiers
from server.protocol import AutomationCard, Id, SpaceId
from server.store.agents import version_id
from server.store.dashboards import Played, Side, Subject

VersionNumber = Annotated[int, Meta(ge=1, le=1_000_000)]


class StatsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    space: SpaceId | None = None
    """Only what was played there."""
    version: VersionNumber | None = None
    """Only what this version has played; null: all versions."""


class HistoryQuery(StatsQuery, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 20
    """Sessions on one page."""
    before: Id | None = None
    """The `next` of the page before."""


class AgentStats(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent does."""

    agent: str
    name: str
    plays: str
    """The version that plays now."""
    version: str | None
    """The one version that the numbers are of; null: all."""
    record: RecordCard
    money: list[MoneyCard]
    """By asset."""
    spaces: list[SpaceResults]
    level: Level
    """Of the agent with all that it has played, whatever was asked for."""
    season: int
    """The one that runs."""
    season_points: int
    """What the agent has earned in it."""
    automation: AutomationCard | None = None
    """For the owner alone: whether it plays by itself, and why it stopped."""


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session, from one agent's seat."""

    session: str
    space: str
    tier_micros: int
    status: Literal["live", "ended", "void"]
    opened_ms: int
    sealed_ms: int | None
    seat: int
    version: str
    outcome: Literal["win", "draw", "loss"] | None
    """Null until it is settled, and when it is void."""
    rank: int | None
    seats: int | None
    """How many ranks there are."""
    score_milli: int | None
    asset: str
    paid_micros: int
    """The entry; 0 where none was paid, as in a tournament."""
    won_micros: int | None
    """A refund included."""
    mu_milli: int | None
    """The version's rating in the Space after it, as the next one; null where it moved none."""
    sigma_milli: int | None
    league: str | None


class History(msgspec.Struct, frozen=True):
    """Newest first."""

    sessions: list[HistoryRow]
    next: str | None
    """`before` for the next page; null on the last one."""


async def stats(services: Services, request: Request) -> Response:
    query = read_query(request, StatsQuery)
    subject = await read_subject(services, read_id(request, "agent"), query.version)
    mine = await _is_owner(services, request, subject)
    found = await stats_of(services, subject, query.version, query.space)
    if mine:
        automation = await services.store.automations.get(subject.agent)
        card = None if automation is None else card_of(automation)
        found = msgspec.structs.replace(found, automation=card)
    return as_json(found, Cache_Control="no-store")


async def history(services: Services, request: Request) -> Response:
    query = read_query(request, HistoryQuery)
    subject = await read_subject(services, read_id(request, "agent"), query.version)
    rows = await services.store.dashboards.history(
        side_of(subject, query.version),
        space=query.space,
        before=query.before,
        limit=query.limit,
        until_ms=until_ms(services),
    )
    following = rows[-1].session if len(rows) == query.limit else None
    return as_json(
        History([_history_row(row) for row in rows], following), Cache_Control="no-store"
    )


async def stats_of(
    services: Services, subject: Subject, version: int | None, space: str | None
) -> AgentStats:
    """What everybody may know."""
    store = services.store
    named = None if version is None else version_id(subject.agent, version)
    parts = await store.careers.parts(subject.agent)
    rated = await store.dashboards.rated(subject.agent)
    season = await store.points.season()
    standing = dashboard.standing(parts, rated, version=named, space=space)
    return AgentStats(
        agent=subject.agent,
        name=subject.name,
        plays=subject.plays,
        version=named,
        record=standing.record,
        money=standing.money,
        spaces=standing.spaces,
        level=dashboard.level(parts),
        season=season,
        season_points=await store.points.of_agent(subject.owner, subject.agent, season),
    )


async def read_subject(services: Services, agent: str, version: int | None) -> Subject:
    """Raises Problem 404."""
    subject = await services.store.dashboards.subject(agent, version)
    if subject is not None:
        return subject
    if version is not None and await services.store.dashboards.subject(agent) is not None:
        raise problems.not_found("version", version_id(agent, version))
    raise problems.not_found("agent", agent)


def side_of(subject: Subject, version: int | None) -> Side:
    return Side(subject.agent, None if version is None else version_id(subject.agent, version))


def until_ms(services: Services) -> int:
    """What was sealed later is still live to spectators."""
    return services.clock() - services.config.spectator_delay_ms


async def _is_owner(services: Services, request: Request, subject: Subject) -> bool:
    """Raises Problem 401 where a credential is sent that is none."""
    if bearer(request) is None:
        return False
    principal = await authenticate(services, request)
    return principal.account == subject.owner and "read" in principal.scopes


def _history_row(row: Played) -> HistoryRow:
    league = None if row.moved is None else row.moved.league
    return HistoryRow(
        session=row.session,
        space=row.space,
        tier_micros=row.tier_micros,
        status=row.status,
        opened_ms=row.opened_ms,
        sealed_ms=row.sealed_ms,
        seat=row.seat,
        version=row.version,
        outcome=_outcome(row),
        rank=row.rank,
        seats=None if row.ranks is None else len(row.ranks),
        score_milli=row.score_milli,
        asset=tiers.asset_of(row.tier_micros),
        paid_micros=entry_of(row),
        won_micros=row.won_micros,
        mu_milli=None if row.moved is None else row.moved.mu_milli,
        sigma_milli=None if row.moved is None else row.moved.sigma_milli,
        league=None if league is None else leagues.name(league.division),
    )


def _outcome(row: Played) -> Literal["win", "draw", "loss"] | None:
    if row.ranks is None:
        return None
    tally = of_seat(row.ranks, row.seat, None, 0, 0)
    return "win" if tally.wins else "draw" if tally.draws else "loss"


def entry_of(row: Played) -> int:
    return tiers.entry_micros(row.tier_micros) if row.paid else 0


BAD = {400: "a parameter is unknown or out of range", 404: "no such agent or version"}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getAgentStats",
        cost=2,
        path="/v1/agents/{agent}/stats",
        handler=stats,
        summary="How an agent does: record, money, ratings, level; its owner is shown its automation",
        answer=AgentStats,
        query=StatsQuery,
        bearer=True,
        problems=BAD | {401: "the login or key is unknown, expired or revoked"},
        tag="dashboards",
    ),
    Operation(
        id="getAgentHistory",
        path="/v1/agents/{agent}/history",
        handler=history,
        summary="An agent's sessions, newest first: rank, score, entry, pay-out, rating after",
        answer=History,
        query=HistoryQuery,
        problems=BAD,
        tag="dashboards",
    ),
)
