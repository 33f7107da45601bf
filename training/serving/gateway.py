"""The model gateway: one OpenAI-compatible address for a base and all adapters on it.

    POST /v1/chat/completions   `model` is the base's name, or an adapter's `<agent>@v<number>-<sha8>`
    GET  /v1/models             what there is, and in which state

An adapter is loaded and proved when somebody first asks for it, and makes room when others are asked for. What cannot be
served is refused, never answered by the base: 404 for a name that there is not, 503 for one that cannot be served now.
Nothing here loads or unloads at a client's word, and nothing of a request but what is listed reaches the server.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx
import msgspec
import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Path_
from starlette.types import Receive, Scope, Send

from training.serving import probe
from training.serving.backend import Backend, BackendError, Target
from training.serving.batching import Batches
from training.serving.fingerprint import Fit, Misfit
from training.serving.routes import Route, Routes, State

MAX_BODY = 1024 * 1024
MAX_REQUESTS = 256
"""In hand at once: those that are answered, and those that wait for their adapter or their turn."""
ROOM_S = 30.0
"""How long a request waits for room for its adapter."""
PATIENCE_S = 5.0
"""How long it waits for one that is out of use, before one in use is drained for it."""
REFUSED_MS = 60_000
"""What failed its probe is not tried again for so long."""
SILENCE_S = 120.0
"""Of the server behind us, between two pieces of an answer."""
SHOWN = 20
FIELDS = frozenset(
    {"model", "messages", "stream", "stream_options", "temperature", "top_p", "max_tokens", "seed"}
    | {
        "stop",
        "response_format",
        "frequency_penalty",
        "presence_penalty",
        "logprobs",
        "top_logprobs",
    }
)
"""Of a request, what is passed on."""

log = structlog.get_logger()

Prove = Callable[[Backend, str, Path], Awaitable[Fit]]


class UnknownAdapter(LookupError):
    """There is no adapter of that name."""


class Library(Protocol):
    """Where adapters come from."""

    async def names(self) -> Sequence[str]:
        """What may be asked for."""

    async def folder(self, name: str) -> Path:
        """Its files, fetched and checked. Raises UnknownAdapter; BackendError where it cannot be had now, or is none."""


class Refusal(Exception):
    """What a client is told instead of an answer."""

    def __init__(self, status: int, message: str, retry_s: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_s = retry_s

    def response(self) -> Response:
        headers = {"Retry-After": str(self.retry_s)} if self.retry_s else {}
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        told = {"message": str(self), "type": kind, "code": self.status}
        return JSONResponse({"error": told}, self.status, headers)


class ModelGateway:
    """In one event loop; enter it there."""

    def __init__(
        self,
        backend: Backend,
        library: Library,
        *,
        clock: Callable[[], int],
        prove: Prove = probe.prove,
        room_s: float = ROOM_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`clock`: unix ms."""
        self._backend = backend
        self._library = library
        self._clock = clock
        self._prove = prove
        self._room_s = room_s
        self._patience_s = patience_s
        self.routes = Routes(backend.capacity)
        self._batches = Batches(backend.at_once, backend.together)
        self._in_hand = 0
        self._tickets = itertools.count()
        self._turns: dict[int, asyncio.Event] = {}
        self._changed = asyncio.Condition()
        """Notified when a request has been answered: there may be room."""
        self._loading = asyncio.Lock()
        self._changing = asyncio.Lock()
        """Held while the backend is told to load, keep or unload."""
        self._starting = asyncio.Lock()
        self._started = False
        self._loads: dict[str, asyncio.Task[None]] = {}
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(SILENCE_S, connect=5.0), trust_env=False, limits=httpx.Limits()
        )

    async def __aenter__(self) -> ModelGateway:
        """Nothing is started before somebody asks for something."""
        return self

    async def __aexit__(self, *_: object) -> None:
        loads = list(self._loads.values())
        for load in loads:
            load.cancel()
        await asyncio.gather(*loads, return_exceptions=True)
        await self._http.aclose()
        await self._backend.close()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Path_("/v1/models", self._show_models),
                Path_("/v1/chat/completions", self._complete, methods=["POST"]),
            ]
        )

    # ------------------------------------------------------------------ the API

    async def _show_models(self, request: Request) -> Response:
        states = {each.name: str(each.state) for each in self.routes.present()}
        names = dict.fromkeys([*await self._library.names(), *states])
        base = self._backend.base.name
        listed: list[dict[str, Any]] = [{"id": base, "object": "model", "state": "live"}]
        for name in names:
            state = states.get(name, "not loaded")
            listed.append({"id": name, "object": "model", "parent": base, "state": state})
        return JSONResponse({"object": "list", "data": listed})

    async def _complete(self, request: Request) -> Any:
        try:
            body = await _body(request)
        except Refusal as refusal:
            return refusal.response()
        except ClientDisconnect:
            return Response()
        return _Passing(self, body)

    @asynccontextmanager
    async def asking(self, name: str) -> AsyncGenerator[Target]:
        """Where to send one request to a model, once it is its turn. Raises Refusal."""
        if self._in_hand >= MAX_REQUESTS:
            raise Refusal(503, f"{MAX_REQUESTS} requests are in hand already", 2)
        self._in_hand += 1
        try:
            async with self._in_turn(name) as target:
                yield target
        finally:
            self._in_hand -= 1

    @asynccontextmanager
    async def _in_turn(self, name: str) -> AsyncGenerator[Target]:
        await self._ready()
        if name == self._backend.base.name:
            async with self._turn(""), self._target(None) as target:
                yield target
            return
        route = await self._live(name)
        try:
            async with self._turn(route.alias), self._target(route.alias) as target:
                yield target
        finally:
            self.routes.give_back(route.alias, self._clock())
            await asyncio.shield(self._tidy())

    async def _ready(self) -> None:
        if self._started:
            return
        async with (
            self._starting
        ):  # not `_changing`: while an adapter is loaded all others are answered
            try:
                await self._backend.start()
            except BackendError as error:
                raise Refusal(503, str(error), 5) from None
            self._started = True

    @asynccontextmanager
    async def _target(self, alias: str | None) -> AsyncGenerator[Target]:
        try:
            context = self._backend.asking(alias)
            target = await context.__aenter__()
        except BackendError as error:
            raise Refusal(503, str(error), 1) from None
        try:
            yield target
        finally:
            await context.__aexit__(None, None, None)

    @asynccontextmanager
    async def _turn(self, group: str) -> AsyncGenerator[None]:
        ticket = next(self._tickets)
        self._turns[ticket] = turn = asyncio.Event()
        self._batches.wait(ticket, group)
        self._start()
        try:
            await turn.wait()
            yield
        finally:
            del self._turns[ticket]
            self._batches.leave(ticket)
            self._start()

    def _start(self) -> None:
        for ticket in self._batches.start(self._clock()):
            self._turns[ticket].set()

    # ------------------------------------------------------------------ adapters

    async def _live(self, name: str) -> Route:
        """A route to the adapter, taken for one request. Raises Refusal."""
        while True:
            route = self.routes.of(name)
            if route is not None and route.state is State.LIVE:
                return self.routes.take(name, self._clock())
            self._not_refused(route)
            load = self._loads.get(name)
            if load is None:
                load = self._loads[name] = asyncio.create_task(self._load(name), name=name)
                load.add_done_callback(self._loaded)
            await asyncio.shield(load)

    def _loaded(self, load: asyncio.Task[None]) -> None:
        del self._loads[load.get_name()]
        if not load.cancelled():
            load.exception()  # who waited for it was told; maybe nobody waits any more

    def _not_refused(self, route: Route | None) -> None:
        if route is None or route.state is not State.GONE or route.was_live:
            return
        left_ms = route.since_ms + REFUSED_MS - self._clock()
        if left_ms > 0:
            why = f"{route.name} cannot be served: {route.reason}"
            raise Refusal(503, why, -(-left_ms // 1_000))

    async def _load(self, name: str) -> None:
        """Make it live. Raises Refusal."""
        try:
            folder = await self._library.folder(name)
        except UnknownAdapter:
            raise Refusal(404, await self._unknown(name)) from None
        except BackendError as error:
            raise Refusal(503, f"{name} cannot be had: {error}", 5) from None
        async with self._loading:
            await self._make_room()
            route = self.routes.open(name, self._clock())
            try:
                async with self._changing:
                    await self._backend.load(route.alias, folder)
                self.routes.loaded(route.alias, self._clock())
                fit = await self._prove(self._backend, route.alias, folder)
                async with self._changing:
                    await self._backend.keep(route.alias)
            except BaseException as error:
                await asyncio.shield(self._give_up(route, error))
                if isinstance(error, Misfit | BackendError):
                    raise Refusal(503, f"{name} cannot be served: {error}", 5) from None
                raise
            self.routes.proved(route.alias, self._clock())
        log.info("adapter_live", name=name, **msgspec.structs.asdict(fit))

    async def _give_up(self, route: Route, error: BaseException) -> None:
        self.routes.failed(route.alias, str(error)[:300] or type(error).__name__, self._clock())
        log.warning("adapter_refused", name=route.name, reason=str(error)[:300])
        async with self._changing:
            await self._backend.unload(route.alias)

    async def _make_room(self) -> None:
        """Raises Refusal where each adapter goes on being in use."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while not self.routes.room:
            waited_s = loop.time() - begun
            idle = self.routes.idlest()
            if idle is None and waited_s >= self._patience_s and not self.routes.draining():
                idle = self.routes.longest()
            if idle is not None:
                self.routes.drain(idle.alias, "it makes room for another", self._clock())
                await self._tidy()
                continue
            if waited_s > self._room_s:
                raise Refusal(
                    503, f"all {self._backend.capacity} places for adapters are in use", 2
                )
            wait_s = max(
                0.01, (self._patience_s if waited_s < self._patience_s else self._room_s) - waited_s
            )
            async with self._changed:
                try:
                    await asyncio.wait_for(self._changed.wait(), wait_s)
                except TimeoutError:
                    continue

    async def _tidy(self) -> None:
        """Unload who has given its last answer, and tell who waits for room."""
        for route in self.routes.drained():
            self.routes.ended(route.alias, self._clock())
            async with self._changing:
                await self._backend.unload(route.alias)
        async with self._changed:
            self._changed.notify_all()

    async def _unknown(self, name: str) -> str:
        names = [self._backend.base.name, *await self._library.names()]
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return f"no model {name[:128]!r}; there are {', '.join(names[:SHOWN])}{more}"


class _Passing:
    """One request on its way through us: an ASGI application."""

    def __init__(self, gateway: ModelGateway, body: dict[str, Any]) -> None:
        self._gateway = gateway
        self._body = body
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        work = asyncio.create_task(self._answer(scope, receive, send))
        gone = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            if not work.done():
                work.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)
        if not work.cancelled():
            work.result()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._gateway.asking(self._body["model"]) as target:
                await self._pass(target, send)
        except Refusal as refusal:
            await refusal.response()(scope, receive, send)
        except httpx.HTTPError as error:
            if self._begun:
                raise  # the connection is cut, so that nobody takes a part for the whole
            log.warning("model_server_failed", reason=repr(error)[:200])
            words = f"the model's server does not answer ({type(error).__name__})"
            await Refusal(502, words, 1).response()(scope, receive, send)

    async def _pass(self, target: Target, send: Send) -> None:
        http = self._gateway._http
        body = {**self._body, **target.fields}
        url = f"{target.url}/chat/completions"
        async with http.stream("POST", url, json=body, headers=target.headers) as answer:
            kind = answer.headers.get("content-type", "application/json").encode("latin-1")
            start = {"type": "http.response.start", "status": answer.status_code}
            await send({**start, "headers": [(b"content-type", kind)]})
            self._begun = True
            async for piece in answer.aiter_bytes():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(request: Request) -> dict[str, Any]:
    """Raises Refusal."""
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > MAX_BODY:
            raise Refusal(413, f"a request has at most {MAX_BODY} bytes")
    try:
        body = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, f"the request is no JSON object: {error}") from None
    if foreign := sorted(body.keys() - FIELDS):
        raise Refusal(
            400, f"{foreign[0][:60]!r} is not passed on; there are {', '.join(sorted(FIELDS))}"
        )
    if not isinstance(body.get("model"), str) or len(body["model"]) > 128:
        raise Refusal(400, "`model` is to be the name of one, see /v1/models")
    return body
