"""What is looked at before the screen is taken."""

from __future__ import annotations

import asyncio
import io

import pytest

from tests.tui_client.scripted_arena import ScriptedArena
from tui_client.connection import NoArena, WatchError
from tui_client.start import need_terminal, wait_for_arena


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_every_stream_must_be_a_terminal() -> None:
    need_terminal(Terminal(), Terminal())
    for streams in ((Terminal(), io.StringIO()), (None, Terminal())):
        with pytest.raises(WatchError, match="agon watch needs a terminal"):
            need_terminal(*streams)


@pytest.mark.parametrize(
    "given", ["foo", "foo:8600", "ftp://127.0.0.1", "http://", "http://h:port", "http://[", ""]
)
async def test_what_is_no_url_is_said_at_once(given: str) -> None:
    told: list[str] = []
    with pytest.raises(WatchError, match="expected http://host:port"):
        await wait_for_arena(given, told.append)
    assert told == []


async def test_an_arena_that_boots_is_waited_for() -> None:
    async with ScriptedArena() as arena:
        url = arena.url
        await arena.shut()
        told: list[str] = []
        waiting = asyncio.create_task(wait_for_arena(url, told.append))
        while not told:
            await asyncio.sleep(0.01)
        await arena.listen()
        async with asyncio.timeout(5):
            await waiting
    assert told == [f"waiting for an arena at {url} …"]


async def test_an_arena_that_is_up_is_not_waited_for() -> None:
    told: list[str] = []
    async with ScriptedArena() as arena:
        await wait_for_arena(arena.url, told.append)
    assert told == []


async def test_patience_ends_with_a_sentence_that_helps() -> None:
    told: list[str] = []
    with pytest.raises(
        NoArena, match=r"no arena at http://127\.0\.0\.1:1: start one with `agon serve`"
    ):
        await wait_for_arena("http://127.0.0.1:1", told.append, patience_s=0.9)
    assert len(told) == 1


async def test_something_else_than_an_arena_is_not_waited_for() -> None:
    told: list[str] = []
    async with ScriptedArena() as arena:
        with pytest.raises(WatchError, match="no arena at"):
            await wait_for_arena(f"{arena.url}/elsewhere", told.append)
    assert told == []
