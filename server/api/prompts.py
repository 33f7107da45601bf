"""The prompt helper: writes or improves an agent's prompt with the arena's model."""

from __future__ import annotations

import asyncio
import math
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server.agents.improver import HelperAway, situation_of
from server.agents.improving import WISH_CHARS, Ask
from server.agents.spec import Prompt
from server.agents.words import prompt_of
from server.api.agents import refusals
from server.api.operation import Operation, Services, as_json, read_body
from server.api.principal import authorize
from server.api.problems import Problem
from server.protocol import SpaceId
from spaces import registry

RETRY_AFTER_S = 15


class PromptWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prompt to be improved, or to be written."""

    space: SpaceId
    prompt: Prompt = ""
    """As it is; empty: write one."""
    wish: Annotated[str, Meta(max_length=WISH_CHARS)] = ""
    """What should be different, in your own words."""


class ImprovedPrompt(msgspec.Struct, frozen=True):
    """A suggestion; nothing is changed by it."""

    prompt: str
    """It fits the Space's limit."""
    notes: list[str]
    """What was changed, and why."""


async def improve(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "manage")
    wanted = await read_body(request, PromptWish)
    try:
        space = registry.get_offered(wanted.space)
    except registry.UnknownSpace as error:
        raise Problem(422, "unknown-space", str(error)) from None
    if services.improver is None:
        raise _away("this arena's API has no model to ask; its operator can give it one (llm_url)")
    with refusals():
        prompt, wish = prompt_of(wanted.prompt, "the prompt"), prompt_of(wanted.wish, "the wish")
    if wait_ms := services.improver.charge(principal.account):
        wait_s = math.ceil(wait_ms / 1_000)
        said = f"enough prompts were improved for this account; try again in {wait_s} s"
        raise Problem(429, "rate-limited", said, headers={"Retry-After": str(wait_s)})
    ask = Ask(
        space=space.id,
        title=space.title,
        limit=space.prompt_limit,
        situation=await asyncio.to_thread(situation_of, space.id),
        prompt=prompt,
        wish=wish,
    )
    try:
        improved = await services.improver.improve(ask)
    except HelperAway as error:
        raise _away(str(error)) from None
    return as_json(ImprovedPrompt(improved.prompt, improved.notes), Cache_Control="no-store")


def _away(detail: str) -> Problem:
    return Problem(503, "model-away", detail, headers={"Retry-After": str(RETRY_AFTER_S)})


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="improvePrompt",
        path="/v1/prompts/improve",
        method="POST",
        handler=improve,
        summary="Have the arena's model write or improve a prompt for a Space; takes up to 25 seconds",
        answer=ImprovedPrompt,
        body=PromptWish,
        cost=25,
        scopes=("manage",),
        problems={
            422: "no such Space is offered (`unknown-space`), or a text cannot be stored (`bad-words`)",
            429: "the account has had several prompts improved this minute; see Retry-After",
            503: "the model does not answer (`model-away`), or a backing service; see Retry-After",
        },
        tag="agents",
    ),
)
