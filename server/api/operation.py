"""One operation of the API: what is routed and what is documented come from the same row.

A handler is a function of the services and the request. Whatever it raises becomes a problem here, and
each answered request is one log line and one observation.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast, get_args

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from chain.content.cid import Cid
from chain.court.commitment import Court
from server.agents.improver import Improver
from server.api import problems
from server.api.misfits import misfit
from server.api.problems import Problem
from server.api.tolls import CHANGING, LOOK_UP, READING, Tolls
from server.clock import Clock
from server.config import Config
from server.court.reliability import Reliability
from server.gauging import Gauging
from server.metrics import Metrics
from server.protocol import Id, QueueCard
from server.readiness import Readiness
from server.settlement.payout_trees import PayoutTrees
from server.store import Store, StoreError
from server.store.keys import Scope

if TYPE_CHECKING:  # it imports web3, and a simulation needs none
    from server.settlement.contracts import Contracts

MAX_BODY_BYTES = 64 * 1024

_log = structlog.get_logger()
T = TypeVar("T")


class Descriptions(msgspec.Struct, frozen=True):
    """The API's own description, encoded once."""

    openapi: bytes
    asyncapi: bytes


class Services(msgspec.Struct, frozen=True):
    """What handlers work with. One per app; nothing in it is global."""

    config: Config
    store: Store
    redis: Redis
    gateway_address: Callable[[], str]
    queue_sizes: Callable[[], Awaitable[list[QueueCard]]]
    metrics: Metrics
    clock: Clock
    documents: Descriptions
    pictures: asyncio.Semaphore
    """Held while a picture is decoded or drawn."""
    readiness: Readiness
    gauging: Gauging
    tolls: Tolls
    contracts: Contracts | None = None
    """With settlement on a chain."""
    court: Court | None = None
    """Of that chain: which one judges sign for. None: there is none, and nobody is asked."""
    improver: Improver | None = None
    """None: this process has no model to ask."""
    block_of: Callable[[Cid], Awaitable[bytes]] | None = None
    """A block out of the content store, for what the database has let go. Raises IpfsError. None: there is no store."""
    unpin: Callable[[Cid], Awaitable[None]] | None = None
    """Has the content store keep something no more. Raises NotNow. None: there is no store."""
    payout_trees: PayoutTrees = msgspec.field(default_factory=PayoutTrees)
    reliability: Reliability = msgspec.field(default_factory=Reliability)


Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Handler = Callable[[Services, Request], Awaitable[Response]]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table in `server.api.routes`."""

    id: str
    """operationId, camelCase."""
    path: str
    method: Method = "GET"
    handler: Handler
    summary: str
    answer: Any = None
    """The type of a successful JSON body, or None for another media type."""
    status: int = 200
    media_type: str = "application/json"
    query: type[msgspec.Struct] | None = None
    body: Any = None
    """A Struct, or a union of tagged ones."""
    takes: tuple[str, ...] = ()
    """Media types of a body that is no JSON, e.g. a picture."""
    max_body_bytes: int = MAX_BODY_BYTES
    if_match: bool = False
    """`If-Match` may name the revision that the caller has seen."""
    problems: dict[int, str] = {}
    """When which problem is answered, beside those that its other fields bring, 429, 500 and 503."""
    tag: str
    bearer: bool = False
    """An `Authorization: Bearer` login or key may be sent."""
    scopes: tuple[Scope, ...] = ()
    """One of these is needed, as the handler checks by `authorize`; 401 and 403 are documented for it."""
    idempotent: bool = False
    """An `Idempotency-Key` is heeded; see `server.api.idempotent`. Not where the answer is a secret."""
    cost: int | None = None
    """In credits (`server.api.tolls`); None: what reading or changing something costs."""
    quiet: bool = False
    """Asked every few seconds by machines: logged at debug level, and free."""

    @property
    def credits(self) -> int:
        if self.quiet:
            return 0
        if self.cost is not None:
            return self.cost
        return READING if self.method == "GET" else CHANGING


def routes(operations: Sequence[Operation], services: Services) -> list[Route]:
    """The operations as Starlette routes them: one route a path, so that 405 names all its methods."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    return [_route(path, methods, services) for path, methods in by_path.items()]


def _route(path: str, methods: Mapping[str, Operation], services: Services) -> Route:
    async def endpoint(request: Request) -> Response:
        operation = methods["GET" if request.method == "HEAD" else request.method]
        start = time.perf_counter()
        response = await _answer(operation, services, request)
        _observe(operation, services, request, response, time.perf_counter() - start)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return Route(path, endpoint, methods=list(methods), name=next(iter(methods.values())).id)


async def _answer(operation: Operation, services: Services, request: Request) -> Response:
    try:
        _take_toll(operation, services, request)
        return await operation.handler(services, request)
    except Problem as problem:
        return problem.response()
    except (StoreError, SQLAlchemyError) as error:
        _log.error("http.unavailable", service="database", route=operation.path, error=str(error))
        return problems.unavailable("the database").response()
    except RedisError as error:
        _log.error("http.unavailable", service="redis", route=operation.path, error=str(error))
        return problems.unavailable("redis").response()
    except OSError as error:
        _log.error("http.unavailable", service="", route=operation.path, error=str(error))
        return problems.unavailable("a backing service").response()
    except Exception:
        _log.exception("http.failure", route=operation.path)
        return problems.internal().response()


def _take_toll(operation: Operation, services: Services, request: Request) -> None:
    """From the address; where a credential is asked for and sent the account pays, once it is known. Raises
    Problem."""
    request.state.credits = operation.credits
    asked = bool(operation.scopes) or operation.bearer
    named = asked and "authorization" in request.headers
    due = min(LOOK_UP, operation.credits) if named else operation.credits
    services.tolls.charge_address(client_address(request), due)


def _observe(
    operation: Operation, services: Services, request: Request, response: Response, took_s: float
) -> None:
    status = response.status_code
    services.metrics.requests.labels(request.method, operation.path, str(status)).inc()
    services.metrics.request_time.labels(operation.path).observe(took_s)
    reading = request.method in ("GET", "HEAD") and status < 400
    write = _log.debug if operation.quiet or reading else _log.info
    write(
        "http.request",
        method=request.method,
        route=operation.path,
        status=status,
        took_ms=round(took_s * 1000, 1),
        address=client_address(request),
    )


def client_address(request: Request) -> str:
    """As the server saw it; uvicorn puts a trusted proxy's word in its place."""
    return request.client.host if request.client else "local"


def as_json(document: Any, status: int = 200, **headers: str) -> Response:
    """A JSON answer. Header names are given with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(msgspec.json.encode(document), status, named, "application/json")


def read_query(request: Request, type_: type[T]) -> T:
    """The query string as a Struct; unknown and repeated parameters are refused. Raises Problem 400."""
    pairs = request.query_params.multi_items()
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Problem(400, "bad-query", "a query parameter is given more than once")
    try:
        return msgspec.convert(values, type_, strict=False)
    except msgspec.ValidationError as error:
        wrong = misfit(str(error), type_, values)
        raise Problem(400, "bad-query", str(wrong), field=wrong.field) from None


async def read_body(request: Request, type_: type[T], most: int = MAX_BODY_BYTES) -> T:
    """The JSON body as a Struct, of at most `most` bytes. Raises Problem 400, 408, 413 or 415."""
    body = await read_bytes(request, ("application/json",), most)
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.ValidationError as error:
        wrong = misfit(str(error), type_, _plain(body))
        raise Problem(400, "bad-body", str(wrong), field=wrong.field) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(400, "bad-body", f"the body is no JSON: {error}") from None


def _plain(body: bytes) -> Any:
    """The body as plain data; None where it is no JSON further on."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


BODY_S = 10.0
"""A body that takes longer is not waited for."""


async def read_bytes(request: Request, media_types: Sequence[str], most: int) -> bytes:
    """The body as it came, at most `most` bytes within BODY_S; what is announced as larger is not read at all.
    Without a Content-Type it is taken for the first of `media_types`. Raises Problem 408, 413 or 415.

    408 also when the client went away: nobody reads that answer, but it is no defect."""
    media_type = request.headers.get("content-type", media_types[0]).partition(";")[0]
    if media_type.strip().lower() not in media_types:
        raise Problem(415, "bad-media-type", f"send the body as {' or '.join(media_types)}")
    return await body_of(request, most)


async def body_of(request: Request, most: int = MAX_BODY_BYTES) -> bytes:
    """As `read_bytes`, of whatever media type. May be asked again. Raises Problem 408 or 413."""
    state = request.state
    if hasattr(state, "body"):
        return cast(bytes, state.body)
    try:
        async with asyncio.timeout(BODY_S):
            state.body = await _read_body(request, most)
        return cast(bytes, state.body)
    except (TimeoutError, ClientDisconnect):
        raise Problem(408, "body-timeout", "the body did not come whole in time") from None


async def _read_body(request: Request, most: int) -> bytes:
    announced = request.headers.get("content-length", "")
    too_large = announced.isdecimal() and int(announced[:18]) > most
    body = bytearray()
    if not too_large:
        async for chunk in request.stream():
            body += chunk
            if too_large := len(body) > most:
                break
    if too_large:
        raise Problem(413, "too-large", f"the body is larger than {most // 1024} KiB")
    return bytes(body)


_ID = re.compile(next(meta.pattern for meta in get_args(Id)[1:] if meta.pattern))


def read_id(request: Request, what: str) -> str:
    """The path's `{what}`. What cannot be an id of ours does not exist. Raises Problem 404."""
    name: str = request.path_params[what]
    if len(name) > 64 or not _ID.fullmatch(name):
        raise problems.not_found(what, name[:64])
    return name


Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]
