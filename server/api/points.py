"""Fractals over HTTP: the formula, one's own lines, and who has earned most."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server.api.operation import Limit, Operation, Services, as_json, read_query
from server.api.principal import authorize, owned_agent
from server.api.problems import Problem
from server.points_formula import Formula, formula
from server.store.points import PointLine, PointsRow, SeasonPoints

Season = Annotated[int, Meta(ge=1, le=1_000_000)]
_CURSOR = re.compile(r"([0-9]{1,15})\.([\x21-\x7e]{1,160})", re.ASCII)


class PointsBoardQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    season: Season | None = None
    """Null: the one that runs."""
    limit: Limit = 100
    """Rows."""


class PointsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    season: Season | None = None
    """Whose lines are listed; null: the one that runs."""
    limit: Limit = 100
    """Lines on one page."""
    before: Annotated[str, Meta(max_length=180)] | None = None
    """The `next` of the page before."""


class PointsBoard(msgspec.Struct, frozen=True):
    """Agents by what they have earned in a season. Whose they are is not told."""

    season: int
    rows: list[PointsRow]


class PointsAccount(msgspec.Struct, frozen=True):
    """The points of an account, or of one of its agents."""

    season: int
    """Of the lines."""
    totals: list[SeasonPoints]
    """Of every season with points, newest first: the sums of all its lines."""
    lines: list[PointLine]
    """Newest first."""
    next: str | None
    """`before` for the next page; null on the last one."""


async def formula_json(services: Services, request: Request) -> Response:
    return as_json(formula())


async def board(services: Services, request: Request) -> Response:
    query = read_query(request, PointsBoardQuery)
    season = query.season or await services.store.points.season()
    rows = await services.store.points.board(season, query.limit)
    return as_json(PointsBoard(season, rows), Cache_Control="no-store")


async def of_me(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "read")
    return await _account(services, request, principal.account, None)


async def of_agent(services: Services, request: Request) -> Response:
    principal, identity = await owned_agent(services, request, "read")
    return await _account(services, request, principal.account, identity.agent)


async def _account(
    services: Services, request: Request, account: str, agent: str | None
) -> Response:
    query = read_query(request, PointsQuery)
    store = services.store.points
    season = query.season or await store.season()
    lines = await store.lines(
        account, season=season, agent=agent, before=_read_cursor(query.before), limit=query.limit
    )
    following = _cursor(lines[-1]) if len(lines) == query.limit else None
    answer = PointsAccount(season, await store.totals(account, agent), lines, following)
    return as_json(answer, Cache_Control="no-store")


def _cursor(line: PointLine) -> str:
    return f"{line.made_ms}.{line.id}"


def _read_cursor(given: str | None) -> tuple[int, str] | None:
    if given is None:
        return None
    match = _CURSOR.fullmatch(given)
    if match is None:
        raise Problem(400, "bad-query", "`before` is not the `next` of a page before")
    return int(match[1]), match[2]


_BAD_QUERY = {400: "a parameter is unknown or out of range"}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getPointsFormula",
        path="/v1/points/formula",
        handler=formula_json,
        summary="How points are earned: the whole formula",
        answer=Formula,
        tag="points",
    ),
    Operation(
        id="getPointsBoard",
        path="/v1/points/board",
        handler=board,
        summary="A season's agents, most points first",
        answer=PointsBoard,
        query=PointsBoardQuery,
        problems=_BAD_QUERY,
        tag="points",
    ),
    Operation(
        id="getMyPoints",
        path="/v1/me/points",
        handler=of_me,
        summary="Every line of the account's points, and its totals by season",
        answer=PointsAccount,
        query=PointsQuery,
        scopes=("read",),
        problems=_BAD_QUERY,
        tag="points",
    ),
    Operation(
        id="getAgentPoints",
        path="/v1/agents/{agent}/points",
        handler=of_agent,
        summary="Every line of points that one of your agents has earned",
        answer=PointsAccount,
        query=PointsQuery,
        scopes=("read",),
        problems=_BAD_QUERY | {404: "you have no such agent"},
        tag="points",
    ),
)
