"""A small OpenAI-compatible server that answers as it is told: one scripted answer a request."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class Script:
    """What one request gets: a status, headers, and the bytes of the body piece by piece."""

    def __init__(
        self, *pieces: str, status: int = 200, pause_s: float = 0.0, **headers: str
    ) -> None:
        self.pieces = pieces
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pause_s = pause_s


def says(*texts: str, finish: str | None = "stop", pause_s: float = 0.0) -> Script:
    """A streamed completion of these pieces; `finish=None` breaks it off."""
    events = [{"choices": [{"delta": {"content": text}, "finish_reason": None}]} for text in texts]
    pieces = [f"data: {json.dumps(event)}\n\n" for event in events]
    if finish is not None:
        end = {"choices": [{"delta": {}, "finish_reason": finish}]}
        pieces += [f": a comment\ndata: {json.dumps(end)}\n\n", "data: [DONE]\n\n"]
    return Script(*pieces, pause_s=pause_s, Content_Type="text/event-stream")


class Model:
    """The server; `asked` has the body of every request."""

    def __init__(self, scripts: list[Script]) -> None:
        self._scripts = deque(scripts)
        self.asked: list[dict[str, Any]] = []
        self.open = 0
        """Answers that are being streamed."""
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
            self.asked.append(json.loads(await reader.readexactly(length)))
            await self._answer(self._scripts.popleft(), reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client went away
        finally:
            self.open -= 1
            writer.close()

    async def _answer(
        self, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        lines = [f"HTTP/1.1 {script.status} X", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in script.headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        gone = asyncio.ensure_future(reader.read())
        try:
            for piece in script.pieces:
                writer.write(piece.encode())
                await writer.drain()
                await asyncio.wait((gone,), timeout=script.pause_s)
                if gone.done():
                    return
        finally:
            gone.cancel()


@asynccontextmanager
async def model(*scripts: Script) -> AsyncIterator[Model]:
    running = Model(list(scripts))
    server = await asyncio.start_server(running.handle, "127.0.0.1", 0)
    running.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield running
    finally:
        server.close()
        await server.wait_closed()
