"""Errors as documents: `application/problem+json` (RFC 9457), for every status from 400 up.

`detail` is a fact and what to do about it; it never holds a stack trace, a path or a secret.
"""

from __future__ import annotations

import http
from collections.abc import Mapping

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class ProblemDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong (RFC 9457)."""

    type: str
    """A URI that names the kind of problem: `urn:agon:problem:<code>`."""
    title: str
    """The status in words."""
    status: int
    """The HTTP status."""
    code: str
    """The kind of problem in short; programs should look at this."""
    detail: str
    """What happened and what to do, for people."""
    field: str = ""
    """What of the body or query it is about, e.g. `spec.temperature` or `spaces[1]`; absent where it is about the whole."""
    failed: list[str] = []
    """The backing services that do not answer (`not-ready` only)."""


class Problem(Exception):
    """Raised by handlers; becomes the response."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        field: str = "",
        failed: list[str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.headers = dict(headers or {})
        self.document = ProblemDocument(
            type=f"urn:agon:problem:{code}",
            title=http.HTTPStatus(status).phrase,
            status=status,
            code=code,
            detail=detail,
            field=field,
            failed=failed or [],
        )

    def response(self) -> Response:
        body = msgspec.json.encode(self.document)
        return Response(body, self.status, self.headers, MEDIA_TYPE)


def not_found(what: str, name: str) -> Problem:
    """`what` in one word, e.g. `session`."""
    return Problem(404, f"unknown-{what}", f"unknown {what} {name!r}")


def unavailable(service: str) -> Problem:
    return Problem(
        503,
        "unavailable",
        f"{service} does not answer; try again in a few seconds",
        headers={"Retry-After": "5"},
    )


def internal() -> Problem:
    return Problem(500, "internal", "the arena failed to answer this; the failure is in its log")


_OF_STATUS = {
    404: Problem(404, "not-found", "there is nothing here; /v1/openapi.json lists what there is"),
    405: Problem(405, "method-not-allowed", "this resource does not take that method; see Allow"),
}


async def of_http_exception(request: Request, error: Exception) -> Response:
    """Errors that Starlette raises itself, as problems."""
    assert isinstance(error, HTTPException)
    problem = _OF_STATUS.get(error.status_code) or Problem(error.status_code, "http", error.detail)
    response = problem.response()
    for name, value in (error.headers or {}).items():
        # Starlette lists the methods in the order of a set.
        response.headers[name] = ", ".join(sorted(value.split(", "))) if name == "Allow" else value
    return response


async def of_failure(request: Request, error: Exception) -> Response:
    """The last resort: something outside the handlers failed."""
    return internal().response()
