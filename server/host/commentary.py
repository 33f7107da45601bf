"""Annotations of a session that the rules have ended: commentary, which may fail and never delays for
long what follows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from server.match import Match
from spaces.transcript.annotations import check_annotations

_logger = structlog.get_logger()

Annotate = Callable[[str, Any], Awaitable[Sequence[dict[str, Any]]]]
"""From a Space's id and its last state to the annotations' bodies, each with a `kind`, without floats.
What computes for long does so in another thread or process: this is awaited in the host's loop."""

LIMIT_S = 5.0


async def no_annotations(space: str, state: Any) -> Sequence[dict[str, Any]]:
    return ()


async def comments_on(match: Match, annotate: Annotate) -> list[dict[str, Any]]:
    """None for a session that is void, and none when `annotate` fails or takes too long."""
    if match.status != "ended":
        return []
    try:
        async with asyncio.timeout(LIMIT_S):
            bodies = list(await annotate(match.record.space, match.state))
        check_annotations(bodies)
    except Exception as error:  # any: commentary is not worth the session
        _logger.warning(
            "session not annotated",
            session=match.record.session,
            space=match.record.space,
            error=f"{type(error).__name__}: {error}",
        )
        return []
    return bodies
