"""Official boards, and the results that they and everything else follow from."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from server.api import problems
from server.api.operation import Operation, Services, as_json, read_id
from server.api.problems import Problem
from server.official.document import OfficialBoard, ResultsFile, path_of
from server.official.final import FinalBoard
from server.official.publish import results_folder
from spaces import registry

MEDIA_TYPE = "application/vnd.apache.parquet"


class ResultsCard(msgspec.Struct, frozen=True):
    """The newest results file of a Space."""

    space: str
    path: str
    """Where it is, on this API."""
    digest: str
    """SHA-256 of its bytes, hex; also its entity tag."""
    bytes: int
    sessions: int
    rows: int
    made_ms: int
    """Unix milliseconds."""


class ResultsIndex(msgspec.Struct, frozen=True):
    """By Space; those of which nothing has been published yet are left out."""

    files: list[ResultsCard]


class _Header(msgspec.Struct, frozen=True):
    """What is read of a board without its rows."""

    space: str
    computed_ms: int
    source: ResultsFile | None


async def official(services: Services, request: Request) -> Response:
    space = _space(request)
    document = await services.store.boards.newest(space)
    if document is None:
        raise Problem(404, "no-board-yet", f"no official board of {space} has been made yet")
    return Response(document, media_type="application/json")


async def final(services: Services, request: Request) -> Response:
    space = _space(request)
    season = request.path_params["season"]
    document = None
    if season.isascii() and season.isdecimal() and len(season) < 10:
        document = await services.store.boards.of_season(int(season), space)
    if document is None:
        raise problems.not_found("season", season[:64])
    return Response(document, media_type="application/json")


async def index(services: Services, request: Request) -> Response:
    documents = await services.store.boards.every_newest()
    headers = [msgspec.json.decode(each, type=_Header) for each in documents]
    return as_json(ResultsIndex([_card(each, each.source) for each in headers if each.source]))


async def results(services: Services, request: Request) -> Response:
    """The file, whole or a range of it; 304 for who has it."""
    space = _space(request)
    document = await services.store.boards.newest(space)
    source = None if document is None else msgspec.json.decode(document, type=_Header).source
    if source is None:
        raise Problem(404, "no-results-yet", f"no results of {space} have been published yet")
    path = path_of(results_folder(services.config), source.digest)
    if not path.is_file():
        said = "the results file lies on another machine: results_dir must be one folder for workers and api"
        raise Problem(503, "results-elsewhere", said)
    tag = f'"{source.digest}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=0, must-revalidate"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    name = f"{space.replace(':', '-')}-{source.digest[:12]}.parquet"
    return FileResponse(path, media_type=MEDIA_TYPE, headers=headers, filename=name)


def _card(header: _Header, source: ResultsFile) -> ResultsCard:
    return ResultsCard(
        space=header.space,
        path=f"/v1/results/{header.space}.parquet",
        digest=source.digest,
        bytes=source.bytes,
        sessions=source.sessions,
        rows=source.rows,
        made_ms=header.computed_ms,
    )


def _space(request: Request) -> str:
    """Raises Problem 404."""
    space = read_id(request, "space")
    try:
        return registry.get_offered(space).id
    except registry.UnknownSpace:
        raise problems.not_found("space", space) from None


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getOfficialBoard",
        path="/v1/boards/{space}",
        handler=official,
        summary="A Space's official board: a fit of all that counts, with 95 % intervals",
        answer=OfficialBoard,
        problems={404: "no such Space (`unknown-space`), or no board yet (`no-board-yet`)"},
        tag="arena",
    ),
    Operation(
        id="getFinalBoard",
        path="/v1/boards/{space}/seasons/{season}",
        handler=final,
        summary="The boards with which a season ended",
        answer=FinalBoard,
        problems={404: "no such Space or season, or it has not ended"},
        tag="arena",
    ),
    Operation(
        id="listResults",
        path="/v1/results",
        handler=index,
        summary="Published results files and their digests",
        answer=ResultsIndex,
        tag="arena",
    ),
    Operation(
        id="getResults",
        path="/v1/results/{space}.parquet",
        handler=results,
        summary="All that has been settled in a Space, a row a seat; enough to recompute everything",
        media_type=MEDIA_TYPE,
        problems={
            404: "no such Space (`unknown-space`), or nothing published yet (`no-results-yet`)",
            503: "the file lies on another machine (`results-elsewhere`)",
        },
        tag="arena",
    ),
)
