"""One request to a node's RPC, with an end: in time, in bytes, and in words.

`aioipfs` speaks with Kubo; it waits for ever, reads what comes however much it is, forgets the password in some calls,
and answers None when a connection breaks. So it is used for what it knows, the node's addresses, its forms and its
connections, and each request is made here.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
import aioipfs
import msgspec
from aioipfs.multi import FormDataWriter

from chain.content.errors import NotThere, Refused, TooLarge, Unavailable

CONNECT_S = 5.0
CONNECTIONS = 8
MAX_ANSWER = 4 * 1024 * 1024
"""Bytes of an answer that is no content."""
MAX_WORDS = 300
"""Characters of a node's own words that are passed on."""
PIECE = 256 * 1024
_NOT_THERE = ("could not find", "not found", "blockservice: key not found", "context deadline")


class BadUrl(ValueError):
    """The address is none of a node."""


class _Api(aioipfs.AsyncIPFS):  # type: ignore[misc]
    """aioipfs, with time-outs, a bound on connections, and the password in every request."""

    def __init__(self, host: str, port: int, scheme: str, headers: dict[str, str]) -> None:
        self._headers = headers
        super().__init__(host=host, port=port, scheme=scheme)

    def get_session(self, *_: Any, **__: Any) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_connect=CONNECT_S),
            headers=self._headers,
            trust_env=False,
        )


class Rpc:
    """The RPC of one node. To be made in the event loop that uses it; `close` it."""

    def __init__(self, url: str, timeout_s: float) -> None:
        """`url`: `http://[user:password@]host:port`. Raises BadUrl."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = None
        if parts.scheme not in ("http", "https") or not parts.hostname or port is None:
            raise BadUrl("expected http://host:port, the address of a node's RPC")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise BadUrl("expected http://host:port and nothing behind it")
        self._api = _Api(parts.hostname, port, parts.scheme, authorization(url))
        self._timeout_s = timeout_s
        self.address = f"{parts.scheme}://{parts.hostname}:{port}"
        """Without the password."""

    async def close(self) -> None:
        """Idempotent."""
        await self._api.close()

    async def ask(self, path: str, form: bytes | None = None, /, **params: Any) -> list[Any]:
        """The JSON documents of an answer, one or several. `form` is sent as a file.

        Raises Unavailable, Refused, NotThere, TooLarge.
        """
        body = await self.whole(path, MAX_ANSWER, form, **params)
        try:
            return [msgspec.json.decode(line) for line in body.splitlines() if line]
        except msgspec.DecodeError:
            raise Refused(f"{self.address} answers {path} with something that is no JSON") from None

    async def whole(
        self, path: str, most: int, form: bytes | None = None, /, **params: Any
    ) -> bytes:
        """The whole of an answer of at most `most` bytes, within the time-out. Raises as `ask`."""
        try:
            async with asyncio.timeout(self._timeout_s):
                async with self.answer(path, form, params) as response:
                    return await self._read(response, path, most)
        except TimeoutError:
            raise self._silent(path) from None

    @asynccontextmanager
    async def answer(
        self, path: str, form: bytes | AsyncIterator[bytes] | None, params: dict[str, Any]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer that says yes, its body still to be read. No time-out but that of connecting. Raises as `ask`."""
        query = [(k.replace("_", "-"), _text(v)) for k, v in params.items()]
        try:
            async with self._api.session.post(
                self._api.api_endpoint(path), params=query, data=_form(form), allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise await self._refusal(response, path)
                yield response
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(path, error) from None

    async def pieces(
        self, path: str, form: bytes | AsyncIterator[bytes] | None = None, /, **params: Any
    ) -> AsyncIterator[bytes]:
        """An answer of any size, as it comes; each piece within the time-out. Raises as `ask`."""
        async with AsyncExitStack() as stack:
            response = await self._begun(stack, path, form, params)
            while True:
                try:
                    async with asyncio.timeout(self._timeout_s):
                        piece = await response.content.read(PIECE)
                except TimeoutError:
                    raise Unavailable(
                        f"{self.address} has sent nothing of {path} for {self._timeout_s:g} s"
                    ) from None
                except (aiohttp.ClientError, OSError) as error:
                    raise self._broken(path, error) from None
                if not piece:
                    return
                yield piece

    async def _begun(
        self,
        stack: AsyncExitStack,
        path: str,
        form: bytes | AsyncIterator[bytes] | None,
        params: dict[str, Any],
    ) -> aiohttp.ClientResponse:
        """The answer that begins within the time-out after the last piece of the form was taken."""
        try:
            async with asyncio.timeout(self._timeout_s) as clock:
                if form is not None and not isinstance(form, bytes):
                    form = _ticking(form, clock, self._timeout_s)
                return await stack.enter_async_context(self.answer(path, form, params))
        except TimeoutError:
            raise self._silent(path) from None

    def _silent(self, path: str) -> Unavailable:
        return Unavailable(f"{self.address} has not answered {path} within {self._timeout_s:g} s")

    def _broken(self, path: str, error: Exception) -> Unavailable:
        words = str(error)[:MAX_WORDS] or type(error).__name__
        return Unavailable(f"{self.address} does not serve {path}: {words}")

    async def _read(self, response: aiohttp.ClientResponse, path: str, most: int) -> bytes:
        held = bytearray()
        async for piece in response.content.iter_chunked(PIECE):
            held += piece
            if len(held) > most:
                raise TooLarge(f"{self.address} sends more than {most} bytes for {path}")
        return bytes(held)

    async def _refusal(self, response: aiohttp.ClientResponse, path: str) -> Exception:
        body = (await response.content.read(MAX_ANSWER)).decode("utf-8", "replace")
        try:
            words = str(msgspec.json.decode(body)["Message"])
        except (msgspec.DecodeError, KeyError, TypeError):
            words = body.strip() or response.reason or "nothing more"
        told = f"{self.address} refuses {path} ({response.status}): {words[:MAX_WORDS]}"
        if response.status in (502, 503, 504):
            return Unavailable(told)
        return NotThere(told) if any(each in words for each in _NOT_THERE) else Refused(told)


async def _ticking(
    pieces: AsyncIterator[bytes], clock: asyncio.Timeout, timeout_s: float
) -> AsyncIterator[bytes]:
    """As long as somebody takes pieces, time does not run out."""
    loop = asyncio.get_running_loop()
    async for piece in pieces:
        with contextlib.suppress(RuntimeError):  # the answer has begun already, or time has run out
            clock.reschedule(loop.time() + timeout_s)
        yield piece


def authorization(url: str) -> dict[str, str]:
    """The header that an address with a password asks for; empty without one."""
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    word = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(word.encode()).decode()}"}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _form(content: bytes | AsyncIterator[bytes] | None) -> FormDataWriter | None:
    if content is None:
        return None
    headers = {"Content-Type": "application/octet-stream"}
    form = FormDataWriter()
    part = form.append(io.BytesIO(content) if isinstance(content, bytes) else content, headers)
    part.set_content_disposition("form-data", name="file", filename="")
    return form
