"""The court over HTTP: what is before it, what judges send, and what is known of each judge.

No login: a judge's signature says who it is. What a panel has revealed is told by `server.court.view` alone.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from eth_utils.address import to_checksum_address
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from chain.court.commitment import Court
from judges.court.hearing import Refused
from server.api import problems
from server.api.operation import (
    Limit,
    Operation,
    Services,
    as_json,
    read_bytes,
    read_id,
    read_query,
)
from server.api.problems import Problem
from server.api.tags import has_current
from server.court import docket
from server.court.case import Case
from server.court.judges import judge_page, judge_view
from server.court.telling import shown
from server.court.view import brief
from server.protocol import CaseView, CommitMessage, CourtMessage, Id, JudgeView

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
MAX_MESSAGE_BYTES = 64 * 1024
CONFLICTS = frozenset(
    {"twice", "late", "early", "not-called", "not-drawn", "other-hearing", "forced"}
)
"""Refusals that come of how the hearing stands, not of what was sent."""

Address = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{40}$(?!\n)")]


class CaseQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    judge: Address | None = None
    """Only cases in which this judge was drawn."""
    state: Literal["open", "all"] = "open"
    limit: Limit = 50
    """Cases on one page."""
    before: Id | None = None
    """The `next` of the page before."""


class CasePage(msgspec.Struct, frozen=True):
    """Newest first; without `filing`, `sheets` and medians, which are told of one case."""

    cases: list[CaseView]
    next: str | None
    """`before` for the next page; null where this is the last one."""


class JudgePage(msgspec.Struct, frozen=True):
    """By address."""

    judges: list[JudgeView]


async def cases(services: Services, request: Request) -> Response:
    query = read_query(request, CaseQuery)
    rows = await services.store.court.page(
        judge=None if query.judge is None else to_checksum_address(query.judge),
        is_open=query.state == "open",
        before=query.before,
        limit=query.limit,
    )
    following = rows[-1].case.session if len(rows) == query.limit else None
    return as_json(
        CasePage([brief(shown(row.case)) for row in rows], following), Cache_Control="no-store"
    )


async def case(services: Services, request: Request) -> Response:
    return as_json(shown(await _case(services, request)), Cache_Control="no-store")


async def document(services: Services, request: Request) -> Response:
    """As it is pinned: its SHA-256 is in its CID and in the leaves of the epoch's anchor."""
    found = await _case(services, request)
    body = await services.store.court.document(found.session)
    if not body or not found.document:
        raise Problem(
            404, "no-document-yet", "the case is not over, or nobody was ever drawn for it"
        )
    tag = f'"{found.document}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=31536000, immutable"}
    if has_current(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


async def take(services: Services, request: Request) -> Response:
    """A judge's commitment or reveal; the same again is harmless."""
    if services.court is None:
        raise problems.not_found("court", "cases")
    message = await _read(request)
    standing = await _case(services, request)
    try:
        now = await _taken(services, services.court, standing, message)
    except docket.Known:
        now = standing
    except Refused as error:
        raise Problem(409 if error.word in CONFLICTS else 422, error.word, str(error)) from None
    return as_json(brief(shown(now)), Cache_Control="no-store")


async def _read(request: Request) -> CourtMessage:
    body = await read_bytes(request, ("application/json",), MAX_MESSAGE_BYTES)
    try:
        message: CourtMessage = msgspec.json.decode(body, type=CourtMessage)
        return message
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(400, "bad-body", f"the body is no message of a judge: {error}") from None


async def _taken(services: Services, court: Court, standing: Case, message: CourtMessage) -> Case:
    """Raises Refused, `docket.Known`: of what does not fit the case as it was read, before anybody waits for its row."""
    now_ms = services.clock()
    if isinstance(message, CommitMessage):
        judge = docket.signer_of_commit(court, standing, message)
        docket.committed(standing, judge, message, now_ms, message.ordinal + 1)
        found = await services.store.court.take(
            standing.session,
            judge,
            lambda case, drawn: docket.committed(case, judge, message, now_ms, drawn),
        )
    else:
        judge = docket.signer_of_reveal(court, standing, message)
        docket.revealed(court, standing, judge, message, now_ms)
        found = await services.store.court.change(
            standing.session, lambda case: docket.revealed(court, case, judge, message, now_ms)
        )
    assert found is not None, "cases are never deleted"
    return found


async def judges(services: Services, request: Request) -> Response:
    return as_json(JudgePage(await judge_page(services.store, services.clock())))


async def judge(services: Services, request: Request) -> Response:
    name = request.path_params["address"]
    if not _ADDRESS.fullmatch(name):
        raise problems.not_found("judge", name[:42])
    address = to_checksum_address(name)
    found = await judge_view(services.store, address, services.clock())
    if found is None:
        raise problems.not_found("judge", name)
    reliability = await services.reliability.of(services.store.court, address)
    found = msgspec.structs.replace(found, reliability=reliability)
    return as_json(found, Cache_Control="no-store")


async def _case(services: Services, request: Request) -> Case:
    session = read_id(request, "session")
    found = await services.store.court.get(session)
    if found is None:
        raise problems.not_found("case", session)
    return found


OPERATIONS = (
    Operation(
        id="listCases",
        path="/v1/court/cases",
        handler=cases,
        summary="Sessions before the court, newest first",
        answer=CasePage,
        query=CaseQuery,
        problems={400: "a parameter is unknown or out of range"},
        tag="court",
    ),
    Operation(
        id="getCase",
        path="/v1/court/cases/{session}",
        handler=case,
        summary="All that is told of a session before the court, in its newest hearing",
        answer=CaseView,
        problems={404: "the court has not heard of the session (`unknown-case`)"},
        tag="court",
    ),
    Operation(
        id="getCaseDocument",
        path="/v1/court/cases/{session}/document",
        handler=document,
        summary="`agon-case/1`: the case with its judges' signed messages, so that anybody can do it again",
        problems={404: "there is no such case, or it is not over (`no-document-yet`)"},
        tag="court",
    ),
    Operation(
        id="sendCourtMessage",
        path="/v1/court/cases/{session}/messages",
        method="POST",
        handler=take,
        summary="A judge's signed commitment or reveal",
        answer=CaseView,
        body=CourtMessage,
        max_body_bytes=MAX_MESSAGE_BYTES,
        problems={
            404: "there is no such case, or no court",
            409: "not now: `early`, `late`, `twice`, `not-called`, `not-drawn`, `other-hearing`, or `forced`: bring it to the chain",
            422: "never: `not-seated`, `unsigned`, `ordinal`, `misshapen`, `no-commitment`, `other-scores`",
        },
        tag="court",
    ),
    Operation(
        id="listJudges",
        path="/v1/judges",
        handler=judges,
        summary="Every judge that has registered or was ever drawn",
        answer=JudgePage,
        tag="court",
    ),
    Operation(
        id="getJudge",
        path="/v1/judges/{address}",
        handler=judge,
        summary="One judge: how it stands, what it has judged, and what that brought it",
        answer=JudgeView,
        problems={404: "there is no such judge"},
        tag="court",
    ),
)
