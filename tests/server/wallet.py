"""A wallet for tests: a key that signs what a sign-in needs, and a chain's node that knows contracts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chain.ethereum import Account, encode_defunct
from server.api.listen import ApiServer

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class Wallet:
    """The key number `number`: the same in every run."""

    def __init__(self, number: int = 1) -> None:
        self._account = Account.from_key(number.to_bytes(32, "big"))
        self.address = str(self._account.address)

    def sign(self, text: str) -> bytes:
        return bytes(self._account.sign_message(encode_defunct(text=text)).signature)


async def message_for(api: httpx.AsyncClient, address: str) -> str:
    """What the arena proposes that `address` signs."""
    answer = await api.post("/v1/signin/nonce")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["message"]).replace("{wallet}", address)


async def sign_in(api: httpx.AsyncClient, wallet: Wallet, **more: Any) -> httpx.Response:
    message = await message_for(api, wallet.address)
    signature = "0x" + wallet.sign(message).hex()
    return await api.post("/v1/signin", json={"message": message, "signature": signature, **more})


async def signed_in(api: httpx.AsyncClient, wallet: Wallet | None = None) -> dict[str, str]:
    """Headers of a new login."""
    answer = await sign_in(api, wallet or Wallet())
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


Node = Callable[[str, list[Any]], Any]
"""(method, params) -> the result, or what is sent as it is when it is a Response."""


@asynccontextmanager
async def chain_node(answer: Node) -> AsyncIterator[str]:
    """The address of a JSON-RPC node that gives what `answer` says."""

    async def handle(request: Request) -> Response:
        asked = await request.json()
        found = answer(asked["method"], asked["params"])
        if isinstance(found, Response):
            return found
        return JSONResponse({"jsonrpc": "2.0", "id": asked["id"], "result": found})

    async with serving(Starlette(routes=[Route("/", handle, methods=["POST"])])) as address:
        yield address


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """The address of an app on a port of this machine."""
    server = ApiServer(app, "127.0.0.1", 0)
    task = asyncio.create_task(server.run())
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.get(server.address)  # it serves: only then can it be drained
    try:
        yield server.address
    finally:
        await server.drain()
        await task
