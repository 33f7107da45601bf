"""The court's epochs: the leaves by which judges are paid and slashed, as documents that anybody can check."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from server.api import problems
from server.api.operation import Operation, Services, read_id
from server.api.problems import Problem
from server.api.tags import has_current
from server.store.court_epochs import EpochRow

_FOR_EVER = "public, max-age=31536000, immutable"
_LATEST = "latest"
_NOT_YET = "the court has not anchored it yet: ask again later"


async def epoch(services: Services, request: Request) -> Response:
    """`latest` is the newest that counts: judges claim by it."""
    name = read_id(request, "epoch")
    if name == _LATEST:
        counting = await services.store.court_logs.counting(services.clock() // 1_000)
        number = None if counting is None else counting.ordinal
        row = None if number is None else await services.store.court_epochs.get(number)
        if row is None:
            raise Problem(404, "no-epoch", "no epoch of the court counts yet")
        return _document(request, row, "no-cache")
    number = int(name) if name.isascii() and name.isdigit() and len(name) < 10 else 0
    row = await services.store.court_epochs.get(number) if number else None
    if row is None:
        raise problems.not_found("epoch", name)
    await _check_anchored(services, row)
    return _document(request, row, _FOR_EVER)


async def of_case(services: Services, request: Request) -> Response:
    """The epoch that holds a case's hearings."""
    session = read_id(request, "session")
    row = await services.store.court_epochs.of(session)
    if row is None:
        if await services.store.court.get(session) is None:
            raise problems.not_found("case", session)
        raise Problem(404, "not-anchored", _NOT_YET)
    await _check_anchored(services, row)
    return _document(request, row, "no-cache")  # one that was vetoed is made anew


async def _check_anchored(services: Services, row: EpochRow) -> None:
    """Until the chain has it, it may be made anew. Raises Problem 404."""
    said = await services.store.court_logs.newest("Anchored", "Vetoed", ordinal=row.epoch)
    if said is None or said.name != "Anchored" or said.fields["cases_root"].hex() != row.cases_root:
        raise Problem(404, "not-anchored", _NOT_YET)


def _document(request: Request, row: EpochRow, cached: str) -> Response:
    tag = f'"{row.epoch}-{row.cases_root}-{row.earned_root}"'
    headers = {"ETag": tag, "Cache-Control": cached}
    if has_current(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(row.document, headers=headers, media_type="application/json")


OPERATIONS = (
    Operation(
        id="getCourtEpoch",
        path="/v1/court/epochs/{epoch}",
        handler=epoch,
        summary="`agon-court-epoch/1`: what an epoch of the court has anchored, and what each judge may claim by it; `latest` is the newest that counts",
        problems={
            404: "no such epoch (`unknown-epoch`), not on the chain yet (`not-anchored`), or none counts at all (`no-epoch`)"
        },
        tag="court",
    ),
    Operation(
        id="getCaseEpoch",
        path="/v1/court/cases/{session}/epoch",
        handler=of_case,
        summary="`agon-court-epoch/1` of the epoch that holds the case's hearings",
        problems={404: "there is no such case, or it is not anchored yet (`not-anchored`)"},
        tag="court",
    ),
)
