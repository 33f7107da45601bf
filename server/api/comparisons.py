"""Two agents, or two versions of one, side by side; and what came of their meetings."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server.api.dashboards import AgentStats, read_subject, side_of, stats_of, until_ms
from server.api.operation import Operation, Services, as_json, read_query
from server.api.problems import Problem
from server.ledger import tiers
from server.protocol import SpaceId
from server.store.dashboards import MEETINGS_OF, Meetings, Side, Subject

Contender = Annotated[
    str, Meta(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9:._-]*(@v[1-9][0-9]{0,5})?$(?!\n)")
]


class PairQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    a: Contender
    """An agent, or one version of it: `<agent>@v<number>`."""
    b: Contender
    """Another one."""


class CompareQuery(PairQuery, frozen=True, forbid_unknown_fields=True):
    space: SpaceId | None = None
    """Only what was played there."""


class Comparison(msgspec.Struct, frozen=True):
    a: AgentStats
    b: AgentStats


class Purse(msgspec.Struct, frozen=True):
    """What one side paid and won in the sessions in which both sat, in micros."""

    paid_micros: int
    won_micros: int


class MeetingCard(msgspec.Struct, frozen=True, kw_only=True):
    """Settled sessions of one Space and fee tier in which both had a seat."""

    space: str
    tier_micros: int
    a_ahead: int
    """Sessions in which a came before b; with more than two seats neither need have won."""
    level: int
    b_ahead: int
    voids: int
    asset: str
    a: Purse
    """Without the void ones, whose entries went back."""
    b: Purse
    last: str
    """The latest of them."""


class HeadToHead(msgspec.Struct, frozen=True, kw_only=True):
    """Two who met."""

    a: str
    b: str
    sessions: int
    """Settled ones, without the void."""
    a_ahead: int
    level: int
    b_ahead: int
    meetings: list[MeetingCard]
    """By Space and tier."""
    among: int
    """Looked for among so many of a's latest sessions."""


async def compare(services: Services, request: Request) -> Response:
    query = read_query(request, CompareQuery)
    a, a_version = await _contender(services, query.a)
    b, b_version = await _contender(services, query.b)
    answer = Comparison(
        await stats_of(services, a, a_version, query.space),
        await stats_of(services, b, b_version, query.space),
    )
    return as_json(answer, Cache_Control="no-store")


async def head_to_head(services: Services, request: Request) -> Response:
    query = read_query(request, PairQuery)
    a, b = await _side(services, query.a), await _side(services, query.b)
    if a == b:
        raise Problem(422, "same-contender", "a and b are the same; name two")
    found = await services.store.dashboards.meetings(a, b, until_ms=until_ms(services))
    cards = [_card(each) for each in found]
    answer = HeadToHead(
        a=query.a,
        b=query.b,
        sessions=sum(card.a_ahead + card.level + card.b_ahead for card in cards),
        a_ahead=sum(card.a_ahead for card in cards),
        level=sum(card.level for card in cards),
        b_ahead=sum(card.b_ahead for card in cards),
        meetings=cards,
        among=MEETINGS_OF,
    )
    return as_json(answer, Cache_Control="no-store")


def _card(found: Meetings) -> MeetingCard:
    entry = tiers.entry_micros(found.tier_micros)
    return MeetingCard(
        space=found.space,
        tier_micros=found.tier_micros,
        a_ahead=found.ahead,
        level=found.level,
        b_ahead=found.behind,
        voids=found.voids,
        asset=tiers.asset_of(found.tier_micros),
        a=Purse(found.a_paid * entry, found.a_won_micros),
        b=Purse(found.b_paid * entry, found.b_won_micros),
        last=found.last,
    )


async def _side(services: Services, given: str) -> Side:
    return side_of(*await _contender(services, given))


async def _contender(services: Services, given: str) -> tuple[Subject, int | None]:
    """Raises Problem 404."""
    agent, at, number = given.partition("@v")
    version = int(number) if at else None
    return await read_subject(services, agent, version), version


_BAD = {400: "a parameter is missing, unknown or out of range", 404: "no such agent or version"}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="compareAgents",
        cost=4,
        path="/v1/compare",
        handler=compare,
        summary="Two agents, or two versions, side by side",
        answer=Comparison,
        query=CompareQuery,
        problems=_BAD,
        tag="dashboards",
    ),
    Operation(
        id="getHeadToHead",
        cost=10,
        path="/v1/head-to-head",
        handler=head_to_head,
        summary="What came of the sessions in which two agents met",
        answer=HeadToHead,
        query=PairQuery,
        problems=_BAD | {422: "both are the same"},
        tag="dashboards",
    ),
)
