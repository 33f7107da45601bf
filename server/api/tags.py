"""Entity tags (RFC 9110, 8.8.3): what a client has seen, in a header of its own."""

from __future__ import annotations

import re

from starlette.requests import Request

from server.api.problems import Problem

_REVISION = re.compile(r'(?:W/)?"([0-9]{1,9})"')


def has_current(request: Request, tag: str) -> bool:
    """Whether the client has what `tag` names; weak comparison (13.1.2)."""
    header = request.headers.get("if-none-match", "")
    return any(given.strip().removeprefix("W/") in (tag, "*") for given in header.split(","))


def revision_tag(revision: int) -> str:
    return f'"{revision}"'


def seen_revision(request: Request, given: int | None = None) -> int | None:
    """The revision that the client has seen, by `If-Match` or by its body; None where it does not say.
    Raises Problem 400."""
    header = request.headers.get("if-match")
    if header is None or header.strip() == "*":
        return given
    match = _REVISION.fullmatch(header.strip())
    if match is None:
        said = 'If-Match takes one entity tag of the agent, e.g. "3"'
        raise Problem(400, "bad-if-match", said)
    seen = int(match[1])
    if given not in (None, seen):
        raise Problem(400, "bad-if-match", "If-Match and the body name different revisions")
    return seen
