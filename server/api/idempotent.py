"""`Idempotency-Key`: a request that is made again, since its answer was lost, is answered but not done again.

Keys are the account's own, and are heeded where an operation says `idempotent`. What did something (an answer of 2xx) is
remembered for a day; a refusal did nothing, is not remembered, and leaves its key free.

The deed and the memory of it are two transactions. Who dies between them leaves a key `in-progress` for a
minute, after which the same request is *done* again. Where that must not be, as with money, the handler itself makes the
deed's id of the key, so that the store refuses the second one (`deed_of`).
"""

from __future__ import annotations

import asyncio
import hashlib

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.api.operation import Operation, Services, body_of
from server.api.principal import Principal, authorize
from server.api.problems import Problem
from server.identity import new_id
from server.store.replies import InProgress, OtherRequest, Reply

MAX_KEY = 128
RETRY_S = 1


def key_of(request: Request) -> str | None:
    """The request's `Idempotency-Key`; None where it has none. Raises Problem 400."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
        said = f"an Idempotency-Key is 1 to {MAX_KEY} printable ASCII characters"
        raise Problem(400, "bad-idempotency-key", said)
    return key


def deed_of(request: Request, caller: Principal, what: str) -> str:
    """An id for what the request does: the same for the same account and `Idempotency-Key`, else a new one."""
    key = key_of(request)
    if key is None:
        return new_id()
    said = f"{caller.account}\n{what}\n{key}".encode()
    return f"key-{hashlib.sha256(said).hexdigest()[:40]}"


def other_request() -> Problem:
    """That the key has been used for something else."""
    said = "this Idempotency-Key was used for another request; take a new one"
    return Problem(422, "idempotency-mismatch", said)


def once(operation: Operation) -> Operation:
    """The operation as it is, or, if it is `idempotent`, done once for each key."""
    if not operation.idempotent:
        return operation
    assert operation.scopes, "keys are of an account"

    async def handler(services: Services, request: Request) -> Response:
        key = key_of(request)
        if key is None:
            return await operation.handler(services, request)
        # Before anything is looked up: what was answered to one may not be told to whoever may not ask.
        caller = await authorize(services, request, *operation.scopes)
        account = caller.account
        body = await body_of(request, operation.max_body_bytes)
        known = await _claim(services, caller, key, _digest(request, caller, body))
        if known is not None:
            return _replayed(known)
        return await _first(operation, services, request, account, key)

    return msgspec.structs.replace(operation, handler=handler)


async def _claim(services: Services, caller: Principal, key: str, digest: str) -> Reply | None:
    try:
        return await services.store.replies.claim(caller.account, key, digest)
    except OtherRequest:
        raise other_request() from None
    except InProgress:
        raise Problem(
            409,
            "in-progress",
            "a request with this Idempotency-Key is being answered; try again in a moment",
            headers={"Retry-After": str(RETRY_S)},
        ) from None


async def _first(
    operation: Operation, services: Services, request: Request, account: str, key: str
) -> Response:
    replies, response = services.store.replies, None
    try:
        response = await operation.handler(services, request)
    finally:
        if response is None or response.status_code >= 300:
            # Shielded: a cancelled request must not leave its key in progress.
            await asyncio.shield(replies.forget(account, key))
    if response.status_code < 300:
        location = response.headers.get("location")
        body = bytes(response.body).decode()
        await asyncio.shield(
            replies.keep(account, key, Reply(response.status_code, body, location))
        )
    return response


def _replayed(reply: Reply) -> Response:
    headers = {"Cache-Control": "no-store", "Idempotent-Replayed": "true"}
    if reply.location is not None:
        headers["Location"] = reply.location
    return Response(reply.body, reply.status, headers, "application/json")


def _digest(request: Request, caller: Principal, body: bytes) -> str:
    """Of what is asked, and of which agent's key asks."""
    url = request.url
    said = f"{caller.agent or ''}\n{request.method}\n{url.path}\n{url.query}\n".encode()
    return hashlib.sha256(said + body).hexdigest()
