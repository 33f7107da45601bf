"""A backend of small OpenAI servers over real HTTP, whose answers tell by which adapter they were made."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.training.adapter_files import BASE
from training.serving.backend import BackendError, Target


@asynccontextmanager
async def listening(app: Starlette) -> AsyncGenerator[str]:
    """The address of the application, on loopback."""
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    with contextlib.suppress(asyncio.CancelledError):
        serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving


class FakeBackend:
    """One server; an adapter is a word that it adds to its answers."""

    base = BASE

    def __init__(self, capacity: int = 3, at_once: int = 4) -> None:
        self.capacity = capacity
        self.at_once = at_once
        self.together = 1
        self.url = ""
        self.there: set[str] = set()
        self.asked: list[str] = []
        """Who was asked, in order."""
        self.owed: dict[str, int] = {}
        self.unloaded: list[str] = []
        self.told: list[str] = []
        """`load`, `keep`, `unload`, as they came."""
        self.fails_to_load = False
        self.go_on = asyncio.Event()
        """Streams wait for it after their first word."""
        self.go_on.set()
        self.cancelled = 0
        self._busy = False

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def load(self, alias: str, folder: Path) -> None:
        async with self._alone("load"):
            await asyncio.sleep(0.01)
            if self.fails_to_load:
                raise BackendError("out of memory")
            assert (folder / "adapter_config.json").is_file()
            self.there.add(alias)

    async def keep(self, alias: str) -> None:
        async with self._alone("keep"):
            assert alias in self.there

    async def unload(self, alias: str) -> None:
        async with self._alone("unload"):
            assert not self.owed.get(alias), "somebody waits for its answer"
            await asyncio.sleep(0.005)
            self.there.discard(alias)
            self.unloaded.append(alias)

    async def models(self) -> frozenset[str]:
        return frozenset(self.there)

    @asynccontextmanager
    async def asking(self, alias: str | None, *, bare: bool = False) -> AsyncGenerator[Target]:
        if alias is not None and alias not in self.there:
            raise BackendError(f"no adapter {alias}")
        name = alias or "base"
        self.owed[name] = self.owed.get(name, 0) + 1
        try:
            yield Target(f"{self.url}/v1", {"model": name, "secret": name}, {"X-Key": "k"})
        finally:
            self.owed[name] -= 1

    @asynccontextmanager
    async def _alone(self, what: str) -> AsyncGenerator[None]:
        assert not self._busy, "load, keep and unload are never called at once"
        self._busy = True
        self.told.append(what)
        try:
            yield
        finally:
            self._busy = False

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/chat/completions", self._complete, methods=["POST"])])

    async def _complete(self, request: Request) -> Response:
        body: dict[str, Any] = json.loads(await request.body())
        assert body["secret"] == body["model"], "what the backend wants in a request is in it"
        assert request.headers["X-Key"] == "k"
        self.asked.append(body["model"])
        if body["messages"][0]["content"] == "be ill":
            return JSONResponse({"error": {"message": "ill"}}, 418)
        if not body.get("stream"):
            await self.go_on.wait()
            return JSONResponse({"choices": [{"message": {"content": body["model"]}}]})
        return StreamingResponse(self._stream(body["model"]), media_type="text/event-stream")

    async def _stream(self, name: str) -> AsyncGenerator[str]:
        try:
            for word in (name, " is", " here"):
                choice = {"delta": {"content": word}, "finish_reason": None}
                yield f"data: {json.dumps({'choices': [choice]})}\n\n"
                await self.go_on.wait()
            yield 'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'
            yield "data: [DONE]\n\n"
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise
