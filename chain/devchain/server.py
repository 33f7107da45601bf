"""The chain over HTTP, on loopback: one thread runs the EVM, blocks come at an interval.

Requests of web pages are refused: a page may make a browser post to this machine, but not as JSON, and not under a
name of this machine that somebody's name server has made up.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from chain.devchain.accounts import balances
from chain.devchain.disk import Disk
from chain.devchain.evm import EVM_RECURSION
from chain.devchain.methods import Methods
from chain.devchain.node import Node
from chain.devchain.requests import MAX_BODY_BYTES, RpcError, decode

CHAIN_ID = 31_337
"""As anvil and hardhat: wallets know it as a chain for development."""
INTERVAL_S = 1.0
MAX_WAITING = 256
"""Requests under way; more are told to come back."""
STACK_BYTES = 512 * 1024 * 1024
"""Of the EVM's thread: 1,024 nested calls of contracts are some 12,000 of Python. Only what is used takes memory."""

T = TypeVar("T")


class DevChain:
    """A chain in a thread of its own."""

    def __init__(self, path: Path | None, chain_id: int, interval_s: float) -> None:
        """`path` None keeps it in memory; `interval_s` 0 makes a block of each transaction at once. Blocks.

        Raises DiskInUse, and ValueError where the file holds another chain.
        """
        disk = Disk(path)
        try:
            node = Node(disk, chain_id, balances())
        except BaseException:
            disk.close()
            raise
        self._disk = disk
        self._node = node
        self._methods = Methods(node, instant=interval_s == 0)
        self._interval_s = interval_s
        before = threading.stack_size(STACK_BYTES)
        self._thread = ThreadPoolExecutor(1, "devchain")
        self._thread.submit(lambda: None).result()  # it starts now, with that stack
        threading.stack_size(before)
        self._waiting = 0

    async def close(self) -> None:
        """Idempotent."""
        await asyncio.to_thread(self._thread.shutdown)
        self._disk.close()

    async def answer(self, body: bytes) -> bytes | None:
        """The response to a request or a batch; None when too much waits."""
        try:
            asked = decode(body)
        except RpcError as error:
            told = {"code": error.code, "message": str(error)}
            return msgspec.json.encode({"jsonrpc": "2.0", "id": None, "error": told})
        if self._waiting >= MAX_WAITING:
            return None
        self._waiting += 1
        try:
            return await self._run(lambda: msgspec.json.encode(self._answers(asked)))
        finally:
            self._waiting -= 1

    def _answers(self, asked: Any) -> Any:
        if isinstance(asked, list):
            return [self._methods.answer(each) for each in asked]
        return self._methods.answer(asked)

    async def make_blocks(self) -> None:
        """One at an interval, when there is need of one; until cancelled."""
        while True:
            await asyncio.sleep(self._interval_s or INTERVAL_S)
            await self._run(self._make_block)

    def _make_block(self) -> None:
        if self._interval_s and self._node.has_work():
            self._node.mine()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


@contextlib.asynccontextmanager
async def serving(
    path: Path | None, *, port: int = 0, chain_id: int = CHAIN_ID, interval_s: float = INTERVAL_S
) -> AsyncIterator[str]:
    """A chain at the URL that is yielded, on 127.0.0.1. Raises OSError where the port is taken."""
    listener = _bind(port)
    try:
        chain = await asyncio.to_thread(DevChain, path, chain_id, interval_s)
    except BaseException:
        listener.close()
        raise
    server = _Uvicorn(
        uvicorn.Config(
            _app(chain), log_config=None, access_log=False, ws="none", lifespan="off",
            server_header=False, timeout_graceful_shutdown=2,
        )
    )  # fmt: skip
    tasks = [
        asyncio.create_task(server.serve(sockets=[listener])),
        asyncio.create_task(chain.make_blocks()),
    ]
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        listener.close()
        await chain.close()


def allow_deep_calls() -> None:
    """For a process that does nothing but run the chain: contracts may nest as deeply as the EVM lets them."""
    sys.setrecursionlimit(EVM_RECURSION)


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # whoever runs us handles them


def _app(chain: DevChain) -> Starlette:
    async def rpc(request: HttpRequest) -> Response:
        refused = _refusal(request)
        if refused is not None:
            return refused
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return _words(413, f"a request has at most {MAX_BODY_BYTES} bytes")
        answer = await chain.answer(bytes(body))
        if answer is None:
            return _words(503, "too many requests wait")
        return Response(answer, media_type="application/json")

    return Starlette(routes=[Route("/", rpc, methods=["POST"])])


def _refusal(request: HttpRequest) -> Response | None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return _words(415, "send application/json")
    host = request.url.hostname
    if host not in ("127.0.0.1", "localhost", "::1"):
        return _words(403, "ask for 127.0.0.1")
    return None


def _words(status: int, text: str) -> Response:
    return Response(text + "\n", status, media_type="text/plain")


def _bind(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen on 127.0.0.1:{port}: {error.strerror}") from None
    listener.setblocking(False)
    return listener
