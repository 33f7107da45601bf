"""What node operators are asked to keep, and the bytes of it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from chain.content import cid
from chain.content.cid import Cid, NotACid
from chain.content.errors import IpfsError
from server.api import problems
from server.api.operation import Limit, Operation, Services, as_json, read_id, read_query
from server.api.problems import Problem
from server.api.tags import has_current
from server.pin_tasks import as_task
from server.protocol import PinTask
from server.store.pin_tasks import PinTaskRow

_OF_EPOCH = {"epoch": "document", "payouts": "payouts"}


class PinQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    after: Annotated[int, Meta(ge=0, le=2**53 - 1)] = 0
    """The number of the last task that is known already."""
    limit: Limit = 100
    """Tasks on one page."""


class PinPage(msgspec.Struct, frozen=True):
    """In the order in which they were given, which is that of their numbers."""

    tasks: list[PinTask]
    next: int | None
    """`after` for the next page; null where this is the last one for now."""
    replicas: int
    """How many operators are to keep each block."""


async def pins(services: Services, request: Request) -> Response:
    query = read_query(request, PinQuery)
    rows = await services.store.pin_tasks.after(query.after, query.limit, by_ms=_by_ms(services))
    following = rows[-1].number if len(rows) == query.limit else None
    page = PinPage([as_task(row) for row in rows], following, services.config.pin_replicas)
    return as_json(page, Cache_Control="no-store")


async def content(services: Services, request: Request) -> Response:
    """One block, at most 1 MiB; it is what its id says, whoever asks."""
    name = read_id(request, "cid")
    try:
        id_ = cid.parse(name)
    except NotACid:
        raise problems.not_found("cid", name) from None
    row = await services.store.pin_tasks.get(name)
    if row is None or row.given_ms > _by_ms(services):
        raise problems.not_found("cid", name)
    tag = f'"{name}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=31536000, immutable"}
    if has_current(request, tag):
        return Response(status_code=304, headers=headers)
    block = await _block(services, row) or await _let_go(services, row, id_)
    if block is None or not id_.is_of(block):
        raise Problem(
            404,
            "not-here",
            f"{name} is kept in the content store and not handed out here; ask IPFS for it",
        )
    return Response(block, headers=headers, media_type="application/octet-stream")


async def _block(services: Services, row: PinTaskRow) -> bytes | None:
    """What the database itself can say; the caller checks it."""
    match row.kind:
        case "transcript":
            return await services.store.sessions.transcript(row.session)
        case "result":
            kept = await services.store.signed.result(row.session)
            return None if kept is None else kept.document
        case "epoch" | "payouts":
            epoch = await services.store.epochs.get(int(row.session.removeprefix("epoch:")))
            return None if epoch is None else getattr(epoch, _OF_EPOCH[row.kind])
        case "case":
            return await services.store.court.document(row.session)
        case "adapter":
            return None  # too large for the database


async def _let_go(services: Services, row: PinTaskRow, id_: Cid) -> bytes | None:
    """What the content store alone has: adapters, and pay-outs that newer ones have replaced, which whoever keeps the blocks of an
    operator that has died needs."""
    if row.kind not in ("payouts", "adapter") or services.block_of is None:
        return None
    try:
        return await services.block_of(id_)
    except IpfsError:
        return None


def _by_ms(services: Services) -> int:
    """What was given by then is told: whoever keeps blocks is not ahead of the spectators."""
    return services.clock() - services.config.spectator_delay_ms


OPERATIONS = (
    Operation(
        id="listPins",
        path="/v1/pins",
        handler=pins,
        summary="What node operators are asked to keep, in the order of asking",
        answer=PinPage,
        query=PinQuery,
        problems={400: "a parameter is unknown or out of range"},
        tag="proofs",
    ),
    Operation(
        id="getContent",
        path="/v1/content/{cid}",
        handler=content,
        summary="The bytes of a content id that operators are asked to keep",
        media_type="application/octet-stream",
        problems={
            404: "nobody was asked to keep it (`unknown-cid`), or the arena has it on IPFS alone (`not-here`)"
        },
        tag="proofs",
    ),
)
