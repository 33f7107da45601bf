"""Sessions, live and past, and the transcripts that anyone can check."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.api import problems
from server.api.lobby import headlines
from server.api.operation import Limit, Services, as_json, read_id, read_query
from server.api.problems import Problem
from server.api.session_steps import steps
from server.api.tags import has_current
from server.proofs import result_document
from server.protocol import Id, SeatCard, SpaceId, Step
from server.store.sessions import SessionRow, Status

PublicStatus = Literal["live", "ended", "void"]


class SessionQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    space: SpaceId | None = None
    """Only this Space's."""
    status: PublicStatus | None = None
    """Only those that are live, have ended, or were voided."""
    agent: Id | None = None
    """Only those in which this agent has a seat."""
    limit: Limit = 20
    """Sessions on one page."""
    before: Id | None = None
    """The `next` of the page before."""


class SessionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A session in a list."""

    session: str
    space: str
    rules: str
    status: PublicStatus
    seats: list[SeatCard]
    """Names, versions and ratings as they were when the session was formed."""
    tier_micros: int
    opened_ms: int
    """Unix milliseconds, as all times."""
    sealed_ms: int | None = None
    """When play had ended and the transcript was kept."""
    outcome: dict[str, Any] | None = None
    """`{termination, returns}` when the rules have ended it, `{reason}` when void; `returns` is null
    where judges decide."""
    digest: str | None = None
    """The transcript's SHA-256, hex."""
    headline: str = ""
    """While live: where it stands, for people."""


class SessionDetail(SessionSummary, frozen=True, kw_only=True):
    """A session, what the judges found, and how far the work that follows it has come."""

    verdict: dict[str, Any] | None = None
    """Rubric lines, totals and ranks, with the judges' words; a model's text, so treat it as hostile."""
    ratings: list[dict[str, Any]] | None = None
    """How the ratings moved, in thousandths; null until rated."""
    steps: list[Step]
    transcript: str | None = None
    """Where the transcript is, once sealed."""
    cid: str | None = None
    """The transcript's content id, once it is pinned: any IPFS node that has it gives the same bytes, and its SHA-256 is
    in it."""


class SessionPage(msgspec.Struct, frozen=True):
    """Newest first."""

    sessions: list[SessionSummary]
    next: str | None
    """`before` for the next page; null on the last one."""


async def sessions(services: Services, request: Request) -> Response:
    query = read_query(request, SessionQuery)
    rows = await services.store.sessions.page(
        space=query.space,
        status=_statuses(query.status),
        agent=query.agent,
        before=query.before,
        limit=query.limit,
        sealed_by_ms=_told_by_ms(services),
    )
    rows = [_as_spectators_see(row, services) for row in rows]
    live = any(_public(row.status) == "live" for row in rows)
    lines = await headlines(services.redis) if live else {}
    page = [SessionSummary(**_summary(row, lines)) for row in rows]
    following = page[-1].session if len(page) == query.limit else None
    return as_json(SessionPage(page, following), Cache_Control="no-store")


async def session(services: Services, request: Request) -> Response:
    row = await row_of(services, request)
    live = _public(row.status) == "live"
    lines = await headlines(services.redis) if live else {}
    verdict = None if live else await services.store.verdicts.get(row.session)
    ratings = None if live else await services.store.ratings.applied(row.session)
    pin = None if live else await services.store.pins.get(row.session)
    detail = SessionDetail(
        **_summary(row, lines),
        verdict=None if verdict is None else msgspec.json.decode(verdict),
        ratings=None if ratings is None else msgspec.to_builtins(ratings),
        steps=await steps(services, row, live=live),
        transcript=None if row.digest is None else f"/v1/sessions/{row.session}/transcript",
        cid=None if pin is None else pin.cid,
    )
    return as_json(detail, Cache_Control="no-store")


async def transcript(services: Services, request: Request) -> Response:
    """The canonical bytes; they never change, so the digest is their entity tag."""
    row = await row_of(services, request)
    if row.digest is None:
        raise Problem(
            404,
            "not-sealed",
            f"session {row.session!r} is still live; its transcript is sealed when it ends",
        )
    tag = f'"{row.digest}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=31536000, immutable"}
    if has_current(request, tag):
        return Response(status_code=304, headers=headers)
    sealed = await services.store.signed.transcript(row.session)
    assert sealed is not None, "a digest stands only beside its transcript"
    if services.config.settlement == "chain" and sealed.signer is None and not sealed.pinned:
        raise Problem(
            404, "not-signed", f"the transcript of session {row.session!r} is about to be signed"
        )
    return Response(sealed.document, headers=headers, media_type="application/json")


async def result(services: Services, request: Request) -> Response:
    """`agon-result/1`; its digest is over its canonical bytes, which never change."""
    row = await row_of(services, request)
    document = None if row.digest is None else await result_document(services.store, row)
    if document is None:
        raise Problem(
            404,
            "not-settled",
            f"session {row.session!r} is not settled and rated yet; `steps` of the session say how far it is",
        )
    tag = f'"{hashlib.sha256(document).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=31536000, immutable"}
    if has_current(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(document, headers=headers, media_type="application/json")


async def summary_of(services: Services, name: str) -> SessionSummary:
    """A session as spectators see it. Raises Problem 404."""
    row = await services.store.sessions.get(name)
    if row is None:
        raise problems.not_found("session", name)
    row = _as_spectators_see(row, services)
    lines = await headlines(services.redis) if _public(row.status) == "live" else {}
    return SessionSummary(**_summary(row, lines))


async def row_of(services: Services, request: Request) -> SessionRow:
    """The session that the path names, as spectators see it. Raises Problem 404."""
    name = read_id(request, "session")
    row = await services.store.sessions.get(name)
    if row is None:
        raise problems.not_found("session", name)
    return _as_spectators_see(row, services)


def _as_spectators_see(row: SessionRow, services: Services) -> SessionRow:
    """A session that has just ended is still live to whoever must not be ahead of the spectators."""
    told_by_ms = _told_by_ms(services)
    if row.sealed_ms is None or told_by_ms is None or row.sealed_ms <= told_by_ms:
        return row
    return msgspec.structs.replace(row, status="live", sealed_ms=None, outcome=None, digest=None)


def _told_by_ms(services: Services) -> int | None:
    """What was sealed by then is told; None: everything."""
    delay_ms = services.config.spectator_delay_ms
    return services.clock() - delay_ms if delay_ms else None


def _public(status: Status) -> PublicStatus:
    return "live" if status == "formed" else status


def _statuses(status: PublicStatus | None) -> tuple[Status, ...]:
    if status is None:
        return ()
    return ("formed", "live") if status == "live" else (status,)


def _summary(row: SessionRow, lines: dict[str, str]) -> dict[str, Any]:
    return {
        "session": row.session,
        "space": row.space,
        "rules": row.rules,
        "status": _public(row.status),
        "seats": [
            SeatCard(seat.seat, seat.agent, seat.name, seat.version, seat.rating_milli, seat.kind)
            for seat in row.seats
        ],
        "tier_micros": row.tier_micros,
        "opened_ms": row.opened_ms,
        "sealed_ms": row.sealed_ms,
        "outcome": row.outcome,
        "digest": row.digest,
        "headline": lines.get(row.session, ""),
    }
