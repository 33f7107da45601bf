"""An arena, asked over its public API by a program that believes nothing of it: answers are bounded in size and time."""

from __future__ import annotations

import asyncio
from typing import Self

import httpx

from bots.api import is_loopback, no_answer

TIMEOUT_S = 20.0
MAX_REFUSAL_BYTES = 64 * 1024


class Unreadable(Exception):
    """The arena did not answer, or not as an arena does. `status`: what it answered, where it did."""

    def __init__(self, reason: str, status: int | None = None, body: bytes = b"") -> None:
        super().__init__(reason)
        self.status = status
        self.body = body
        """Of a refusal; its first MAX_REFUSAL_BYTES."""


class Asking:
    """The arena at `url`. Enter it in the event loop that uses it."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def __aenter__(self) -> Self:
        # An arena's API names no other host; whoever redirects is none.
        self._http = httpx.AsyncClient(
            timeout=TIMEOUT_S, trust_env=not is_loopback(self.url), follow_redirects=False
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, path: str, most: int) -> bytes:
        """At most `most` bytes. Raises Unreadable."""
        return await self._ask("GET", path, most)

    async def post(self, path: str, body: bytes, most: int) -> bytes:
        """JSON. Raises Unreadable."""
        return await self._ask("POST", path, most, body, "application/json")

    async def put(self, path: str, body: bytes) -> None:
        """Raw bytes. Raises Unreadable."""
        await self._ask("PUT", path, MAX_REFUSAL_BYTES, body, "application/octet-stream")

    async def _ask(
        self, method: str, path: str, most: int, body: bytes | None = None, kind: str = ""
    ) -> bytes:
        held = bytearray()
        headers = {"Content-Type": kind} if kind else {}
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._http.stream(method, self.url + path, content=body, headers=headers) as answer,
            ):
                async for piece in answer.aiter_bytes():
                    held += piece
                    if len(held) > most:
                        raise Unreadable(f"{self.url}{path} sends more than {most} bytes")
        except httpx.InvalidURL:
            raise Unreadable(f"{self.url} has no path {path[:80]!r}") from None
        except httpx.HTTPError as error:
            raise Unreadable(no_answer(self.url, error)) from None
        except TimeoutError:
            raise Unreadable(f"{self.url}{path} took longer than {TIMEOUT_S:.0f} s") from None
        if not answer.is_success:
            raise Unreadable(
                f"{self.url}{path} answers {answer.status_code}",
                answer.status_code,
                bytes(held[:MAX_REFUSAL_BYTES]),
            )
        return bytes(held)
