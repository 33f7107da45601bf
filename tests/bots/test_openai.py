"""The chat client against a scripted server."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from bots.brains import openai
from bots.brains.openai import (
    ChatClient,
    Message,
    ModelRefused,
    ModelUnavailable,
    Sampling,
    StreamBroken,
)
from tests.bots.arena import until
from tests.bots.model import Model, Script, model, says

HELLO = [Message("user", "hello")]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai, "FIRST_PAUSE_S", 0.01)


async def ask(server: Model, **more: object) -> tuple[str, str | None]:
    client = ChatClient(server.url, "tiny", "sk-secret")
    text, finish = "", None
    try:
        async with aclosing(client.stream(HELLO, Sampling(max_tokens=9), **more)) as stream:  # type: ignore[arg-type]
            async for chunk in stream:
                text += chunk.text
                finish = chunk.finish or finish
    finally:
        await client.close()
    return text, finish


async def test_pieces_and_finish_reason() -> None:
    async with model(says("Hel", "lo", finish="length")) as server:
        assert await ask(server) == ("Hello", "length")
        (asked,) = server.asked
        assert asked["messages"] == [{"role": "user", "content": "hello"}]
        assert asked["max_tokens"] == 9
        assert asked["stream"] is True
        assert "temperature" not in asked
        assert "response_format" not in asked


async def test_schema_and_stop_are_sent_in_the_common_form() -> None:
    async with model(says("{}")) as server:
        await ask(server, schema={"type": "object"}, stop=["\n\n"])
        (asked,) = server.asked
        assert asked["stop"] == ["\n\n"]
        assert asked["response_format"]["json_schema"]["schema"] == {"type": "object"}


async def test_busy_servers_are_asked_again() -> None:
    busy = Script(status=429, Retry_After="0")
    async with model(busy, Script(status=503), says("ok")) as server:
        assert await ask(server) == ("ok", "stop")
        assert len(server.asked) == 3


async def test_retry_after_is_kept() -> None:
    async with model(Script(status=429, Retry_After="1"), says("ok")) as server:
        began = asyncio.get_running_loop().time()
        await ask(server)
        assert asyncio.get_running_loop().time() - began >= 1


async def test_a_server_that_stays_down_is_unavailable() -> None:
    async with model(*[Script(status=500)] * (openai.RETRIES + 1)) as server:
        with pytest.raises(ModelUnavailable, match="500"):
            await ask(server)


async def test_no_server_at_all_is_unavailable() -> None:
    async with model() as server:
        pass
    with pytest.raises(ModelUnavailable, match="ConnectError"):
        await ask(server)


async def test_a_refused_request_is_not_repeated() -> None:
    async with model(Script('{"error": "no such\\u001b model"}', status=404)) as server:
        with pytest.raises(ModelRefused, match="404"):
            await ask(server)
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "script",
    [
        says("half", finish=None),
        Script("data: not json\n\n"),
        Script('data: {"error": {"message": "slot gone"}}\n\n'),
    ],
)
async def test_a_broken_stream_is_told_apart_and_not_retried(script: Script) -> None:
    async with model(script) as server:
        with pytest.raises(StreamBroken):
            await ask(server)
        assert len(server.asked) == 1


async def test_cancelling_closes_the_connection() -> None:
    async with model(says("slow", "never", pause_s=30)) as server:
        task = asyncio.create_task(ask(server))
        await until(lambda: server.open == 1 and bool(server.asked))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.open == 0)
