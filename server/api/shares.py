"""Share links: made by whoever is signed in, opened by anybody, and views that are verified.

What a verified view proves, and what it does not, stands in `docs/points.md`.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server.api import problems
from server.api.agents import AgentCard, card_of
from server.api.operation import (
    Limit,
    Operation,
    Services,
    as_json,
    client_address,
    read_body,
    read_query,
)
from server.api.principal import authenticate, authorize, bearer
from server.api.problems import Problem
from server.api.registrations import network
from server.api.sessions import SessionSummary, summary_of
from server.api.share_page import page, wants_page
from server.days import day_of
from server.live.share_secret import share_secret
from server.points import VIEW_S
from server.protocol import Id
from server.shares import Answer, answer, challenge, viewer_of
from server.store.shares import ShareCard, ShareRow, TooManyLinks

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)


class NewShare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be shared: one of the two."""

    session: Id | None = None
    agent: Id | None = None


class ShareLink(msgspec.Struct, frozen=True):
    """A link that anybody may open; the same for the same account and subject."""

    token: str
    url: str


class ShareQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 20
    """Links on one page."""
    before: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{22}$(?!\n)")] | None = None
    """The `next` of the page before."""


class SharePage(msgspec.Struct, frozen=True):
    """Newest first."""

    links: list[ShareCard]
    next: str | None
    """`before` for the next page; null on the last one."""


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """What a link shows."""

    kind: Literal["session", "agent"]
    session: SessionSummary | None = None
    agent: AgentCard | None = None
    challenge: str
    """Send it to `POST /v1/s/{token}/views` from the same network after `after_s`: the view is verified."""
    after_s: int


class NewView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    challenge: Annotated[str, Meta(min_length=1, max_length=128)]
    """As the link gave it."""


class ViewTaken(msgspec.Struct, frozen=True):
    counted: bool
    """False when this network has looked at the link today already, or enough others have."""


async def make(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "manage")
    new = await read_body(request, NewShare)
    subject = await _subject(services, new)
    try:
        row = await services.store.shares.make(principal.account, subject)
    except TooManyLinks as error:
        raise Problem(409, "too-many-links", str(error)) from None
    link = ShareLink(row.token, f"{request.base_url}v1/s/{row.token}")
    return as_json(link, 201, Cache_Control="no-store", Location=f"/v1/s/{row.token}")


async def links(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "read")
    query = read_query(request, ShareQuery)
    found = await services.store.shares.of_account(
        principal.account, before=query.before, limit=query.limit
    )
    following = found[-1].token if len(found) == query.limit else None
    return as_json(SharePage(found, following), Cache_Control="no-store")


async def shared(services: Services, request: Request) -> Response:
    """As JSON, or as a page to a browser."""
    row = await _row(services, request)
    kind, _, name = row.subject.partition(":")
    now_ms = services.clock()
    secret = await share_secret(services.redis, day_of(now_ms))
    given = challenge(secret, row.token, _viewer(secret, row, request), now_ms)
    session = await summary_of(services, name) if kind == "session" else None
    agent = await card_of(services, name) if session is None else None
    shown = session or agent
    assert shown is not None, "a link is made to what there is, and nothing is ever deleted"
    if wants_page(request.headers.get("accept", "")):
        return page(shown, f"/v1/s/{row.token}", given, VIEW_S)
    document = Shared(
        kind="agent" if session is None else "session",
        session=session,
        agent=agent,
        challenge=given,
        after_s=VIEW_S,
    )
    return as_json(document, Cache_Control="no-store", Vary="Accept")


async def viewed(services: Services, request: Request) -> Response:
    row = await _row(services, request)
    own = bearer(request) is not None and (
        (await authenticate(services, request)).account == row.account
    )
    new = await read_body(request, NewView)
    now_ms = services.clock()
    secret = await share_secret(services.redis, day_of(now_ms))
    viewer = _viewer(secret, row, request)
    _check(answer(secret, row.token, viewer, new.challenge, now_ms))
    seen_ms = int(new.challenge.partition(".")[0])
    counted = not own and await services.store.shares.verified(row, viewer, seen_ms)
    return as_json(ViewTaken(counted), Cache_Control="no-store")


def _check(worth: Answer) -> None:
    match worth:
        case Answer.VERIFIED:
            return
        case Answer.EARLY:
            raise Problem(
                425,
                "too-early",
                f"a view counts {VIEW_S} s after the link was opened; send the same again then",
                headers={"Retry-After": str(VIEW_S)},
            )
        case Answer.STALE:
            raise Problem(410, "stale-challenge", "the challenge is too old; open the link again")
        case Answer.FORGED:
            raise Problem(
                403,
                "bad-challenge",
                "the challenge is not of this link and network; open the link again",
            )


async def _subject(services: Services, new: NewShare) -> str:
    """Raises Problem where it does not exist, or not one of the two is named."""
    if new.session is not None and new.agent is None:
        if await services.store.sessions.get(new.session) is None:
            raise problems.not_found("session", new.session)
        return f"session:{new.session}"
    if new.agent is not None and new.session is None:
        if await services.store.agents.get(new.agent) is None:
            raise problems.not_found("agent", new.agent)
        return f"agent:{new.agent}"
    raise Problem(422, "bad-share", "name either a session or an agent")


async def _row(services: Services, request: Request) -> ShareRow:
    token: str = request.path_params["token"]
    row = await services.store.shares.get(token) if _TOKEN.fullmatch(token) else None
    if row is None:
        raise problems.not_found("share", token[:64])
    return row


def _viewer(secret: bytes, row: ShareRow, request: Request) -> str:
    return viewer_of(secret, row.account, network(client_address(request)))


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="createShare",
        path="/v1/shares",
        method="POST",
        handler=make,
        summary="Your link to a session or an agent, any public one",
        answer=ShareLink,
        status=201,
        body=NewShare,
        scopes=("manage",),
        problems={
            404: "no such session or agent",
            409: "the account has as many links as it may have",
            422: "not one of the two is named",
        },
        tag="points",
    ),
    Operation(
        id="listShares",
        path="/v1/shares",
        handler=links,
        summary="Your links, newest first, with their verified views",
        answer=SharePage,
        query=ShareQuery,
        scopes=("read",),
        problems={400: "a parameter is unknown or out of range"},
        tag="points",
    ),
    Operation(
        id="getShared",
        path="/v1/s/{token}",
        handler=shared,
        summary="What a link shows, and a challenge for its viewer; a browser is shown a page",
        answer=Shared,
        problems={404: "no such link"},
        tag="points",
    ),
    Operation(
        id="verifyView",
        path="/v1/s/{token}/views",
        method="POST",
        handler=viewed,
        summary="Come back with the challenge: the view is verified",
        answer=ViewTaken,
        body=NewView,
        bearer=True,
        problems={
            401: "the login or key is unknown, expired or revoked",
            403: "the challenge is of another link or network",
            404: "no such link",
            410: "the challenge is too old",
            425: "it is too early; see Retry-After",
        },
        tag="points",
    ),
)
