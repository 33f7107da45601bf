"""The contests there are."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.api.operation import Services, as_json
from spaces import registry
from spaces.space import Space


class SpaceCard(msgspec.Struct, frozen=True):
    """A contest: what one needs to know before one queues for it."""

    id: str
    title: str
    seats: int
    decided_by: Literal["rules", "judges", "oracle"]
    rules: str
    """The rules' version, as transcripts name it."""
    params: dict[str, Any]
    """The default session's parameters."""
    params_schema: dict[str, Any]
    """JSON Schema of the parameters."""
    prompt_limit: int
    """Characters an owner's system prompt may have."""
    tiers_micros: list[int]
    """Entry fees that one may queue for now, in micro-USDC."""


class SpaceList(msgspec.Struct, frozen=True):
    """All contests, in the order in which people are shown them."""

    spaces: list[SpaceCard]


async def spaces(services: Services, request: Request) -> Response:
    tiers = list(services.config.tiers_open)
    return as_json(SpaceList([_card(space, tiers) for space in registry.offered()]))


def _card(space: Space[Any, Any, Any], tiers: list[int]) -> SpaceCard:
    return SpaceCard(
        id=space.id,
        title=space.title,
        seats=space.seats,
        decided_by=space.decided_by,
        rules=space.rules,
        params=msgspec.to_builtins(space.params_type()),
        params_schema=msgspec.json.schema(space.params_type),
        prompt_limit=space.prompt_limit,
        tiers_micros=tiers,
    )
