"""What an arena answers to a judge's message: refused for good, or to be sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from judges.node.node import Never, NotNow
from server.judging.arena import Arena
from server.protocol import CommitMessage

SESSION = "01J00000000000000000000001"
MESSAGE = CommitMessage(0, "0x" + "ab" * 32, 0, "0x" + "cd" * 65)

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answering(status: int, body: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    return answer


@pytest.mark.parametrize(
    ("status", "code", "final"),
    [
        (422, "ordinal", True),
        (409, "twice", True),
        (409, "early", False),
        (400, "", False),
        (503, "unavailable", False),
    ],
)
async def test_only_an_arenas_own_word_is_a_refusal_for_good(
    status: int, code: str, final: bool
) -> None:
    body = msgspec.json.encode({"code": code, "detail": "why"}) if code else b"<html>bad proxy"
    server = await asyncio.start_server(answering(status, body), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Arena(f"http://127.0.0.1:{port}") as arena:
        with pytest.raises(Never if final else NotNow):
            await arena.say(SESSION, MESSAGE)
