"""An agent's numbers over time over HTTP, for plots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server import series
from server.api.dashboards import BAD, StatsQuery, entry_of, read_subject, side_of, until_ms
from server.api.operation import Operation, Services, as_json, read_id, read_query
from server.career import Bucket, of_seat
from server.ledger import tiers
from server.series import Bucketing, SeriesPoint
from server.store.dashboards import Played, Subject
from server.store.ratings import RatingRow

Asset = Literal["usdc", "play"]


class SeriesQuery(StatsQuery, frozen=True, forbid_unknown_fields=True):
    bucket: Bucketing = "auto"
    """What a point spans: a session (the latest 500), an hour, a day, a week, or what fits."""
    asset: Asset | None = None
    """Whose money is told; null: USDC if any was paid, else play money."""


class Series(msgspec.Struct, frozen=True):
    """Numbers over time, oldest first."""

    bucket: Bucketing
    """What a point spans, before neighbours were put together to make them few enough."""
    asset: str
    points: list[SeriesPoint]
    """At most 500."""


async def over_time(services: Services, request: Request) -> Response:
    query = read_query(request, SeriesQuery)
    subject = await read_subject(services, read_id(request, "agent"), query.version)
    make = _by_session if query.bucket == "session" else _by_time
    return as_json(await make(services, subject, query), Cache_Control="no-store")


async def _by_time(services: Services, subject: Subject, query: SeriesQuery) -> Series:
    store, version = services.store.careers, side_of(subject, query.version).version
    extent, usdc = await store.extent(subject.agent, space=query.space, version=version)
    asset, cut = query.asset or _default_asset(usdc), series.cut(query.bucket, extent)
    spans = await store.spans(subject.agent, cut, asset, space=query.space, version=version)
    lasts = [span.last for span in spans] if query.space is not None else []
    moves = await services.store.dashboards.moves(lasts) if lasts else {}

    def rated(session: str) -> tuple[int, int] | None:
        return _rating_of(moves.get(session, ()), subject.agent)

    points = series.points(spans, rated, with_score=query.space is not None)
    return Series(cut.bucket, asset, points)


async def _by_session(services: Services, subject: Subject, query: SeriesQuery) -> Series:
    rows = await services.store.dashboards.history(
        side_of(subject, query.version),
        space=query.space,
        limit=series.POINTS,
        until_ms=until_ms(services),
    )
    played = [row for row in reversed(rows) if row.won_micros is not None]
    paid_usdc = any(row.paid and tiers.asset_of(row.tier_micros) == tiers.USDC for row in played)
    asset = query.asset or _default_asset(paid_usdc)
    moved = {row.session: row.moved for row in played if row.moved is not None}

    def rated(session: str) -> tuple[int, int] | None:
        move = moved.get(session) if query.space is not None else None
        return None if move is None else (move.mu_milli, move.sigma_milli)

    buckets = [_bucket(row, asset) for row in played]
    points = series.points(buckets, rated, with_score=query.space is not None)
    return Series("session", asset, points)


def _default_asset(paid_usdc: bool) -> Asset:
    return "usdc" if paid_usdc else "play"


def _bucket(row: Played, asset: str) -> Bucket:
    ours = tiers.asset_of(row.tier_micros) == asset
    paid, won = (entry_of(row), row.won_micros or 0) if ours else (0, 0)
    tally = of_seat(row.ranks, row.seat, row.score_milli, paid, won)
    return Bucket(row.sealed_ms or row.opened_ms, tally, row.session)


def _rating_of(moves: Sequence[RatingRow], agent: str) -> tuple[int, int] | None:
    for move in moves:
        if move.version.rpartition("@")[0] == agent:
            return move.mu_milli, move.sigma_milli
    return None


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getAgentSeries",
        cost=5,
        path="/v1/agents/{agent}/series",
        handler=over_time,
        summary="An agent's return, score and rating over time, in at most 500 points",
        answer=Series,
        query=SeriesQuery,
        problems=BAD,
        tag="dashboards",
    ),
)
