"""The connection against a scripted arena: positions, gaps, close codes."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from server.protocol import CloseCode, Snapshot, Update
from tests.tui_client.scripted_arena import ScriptedArena
from tui_client import connection as module
from tui_client import recording
from tui_client.connection import Connection, WatchError, locate
from tui_client.state import Back, Input, Link, Open, State, reduce, wanted

RAP_CHANNEL = f"session:{recording.RAP}"


class Watcher:
    """A connection with a state and no screen."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self.state = State()
        self.updates: list[Update] = []
        self._moved = asyncio.Event()
        self.connection = Connection(
            api_url=url,
            key=key,
            dispatch=self.dispatch,
            wanted=lambda: wanted(self.state),
            rng=random.Random(7),
        )

    def dispatch(self, happened: Input) -> None:
        self.state = reduce(self.state, happened)
        if isinstance(happened, Update):
            self.updates.append(happened)
        self.connection.changed()
        self._moved.set()
        self._moved = asyncio.Event()

    async def until(self, happened: Callable[[State], bool]) -> None:
        async with asyncio.timeout(5):
            while not happened(self.state):
                await self._moved.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.connection.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def arena() -> AsyncIterator[ScriptedArena]:
    async with ScriptedArena() as arena:
        for message in [*recording.lobby_start(), *recording.rap_start()]:
            if isinstance(message, Snapshot):
                arena.open(message)
        yield arena


def offset_is(offset: int) -> Callable[[State], bool]:
    def reached(state: State) -> bool:
        position = state.spectated.place.position if state.spectated else None
        return position is not None and position.offset == offset

    return reached


async def test_says_hello_and_follows_what_is_wanted(arena: ScriptedArena) -> None:
    watcher = Watcher(arena.url)
    async with watcher.running():
        await watcher.until(lambda state: state.lobby is not None and state.board is not None)
        assert arena.hellos[0].key is None
        watcher.dispatch(Open(recording.RAP))
        await watcher.until(offset_is(1))
        watcher.dispatch(Back())
        await arena.followed("lobby")
        async with asyncio.timeout(5):
            while arena.follows(RAP_CHANNEL):
                await asyncio.sleep(0.01)


async def test_a_key_is_passed_on(arena: ScriptedArena) -> None:
    watcher = Watcher(arena.url, key="agon_0123456789abcdef")
    async with watcher.running():
        await watcher.until(lambda state: state.link is Link.LIVE)
    assert arena.hellos[0].key == "agon_0123456789abcdef"


@pytest.mark.parametrize("code", [CloseCode.DRAINING, CloseCode.SLOW_READER, 1011])
async def test_resumes_without_a_gap(arena: ScriptedArena, code: int) -> None:
    watcher = Watcher(arena.url)
    watcher.dispatch(Open(recording.RAP))
    async with watcher.running():
        await watcher.until(offset_is(1))
        await arena.say(recording.rap_verse(0))
        await watcher.until(offset_is(3))
        await arena.close_all(code)
        await watcher.until(lambda state: state.link is Link.RECONNECTING)
        await arena.say(recording.rap_verse(1))
        await watcher.until(offset_is(5))
    sent = await arena.followed(RAP_CHANNEL, 2)
    assert sent[0].since is None
    assert sent[1].since is not None
    assert sent[1].since.offset == 3
    assert [update.offset for update in watcher.updates if update.channel == RAP_CHANNEL] == [3, 5]
    assert not any("missed" in note.text for note in watcher.state.spectated.notes)  # type: ignore[union-attr]


async def test_a_lost_update_is_asked_for_again(arena: ScriptedArena) -> None:
    watcher = Watcher(arena.url)
    watcher.dispatch(Open(recording.RAP))
    async with watcher.running():
        await watcher.until(offset_is(1))
        await arena.say(recording.rap_verse(0), lost=True)
        await arena.say(recording.rap_verse(1))
        await watcher.until(offset_is(5))
        sent = await arena.followed(RAP_CHANNEL, 2)
    assert sent[1].since is not None
    assert sent[1].since.offset == 1


async def test_a_subscribe_that_was_refused_for_the_moment_is_sent_again(
    arena: ScriptedArena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.05)
    arena.unavailable = 2
    watcher = Watcher(arena.url)
    async with watcher.running():
        await watcher.until(lambda state: state.lobby is not None and state.board is not None)


async def test_a_snapshot_bridges_what_is_no_longer_held(arena: ScriptedArena) -> None:
    watcher = Watcher(arena.url)
    watcher.dispatch(Open(recording.RAP))
    async with watcher.running():
        await watcher.until(offset_is(1))
        await arena.say(recording.rap_verse(0), lost=True)
        arena.forget = True
        await arena.close_all(CloseCode.BEHIND)
        await watcher.until(offset_is(3))
        assert watcher.state.spectated is not None
        assert "missed" in watcher.state.spectated.notes[-1].text


async def test_a_gateway_that_went_away_is_found_again(arena: ScriptedArena) -> None:
    watcher = Watcher(arena.url)
    watcher.dispatch(Open(recording.RAP))
    async with watcher.running():
        await watcher.until(offset_is(1))
        await arena.shut()
        await watcher.until(lambda state: state.link is Link.RECONNECTING)
        await arena.listen()
        await arena.say(recording.rap_verse(0))
        await watcher.until(offset_is(3))


async def test_a_final_close_code_ends_it(arena: ScriptedArena) -> None:
    arena.refuse_code = CloseCode.UNAUTHORIZED
    watcher = Watcher(arena.url)
    async with watcher.running() as task:
        async with asyncio.timeout(5):
            await task
    assert watcher.state.link is Link.CLOSED
    assert watcher.state.closed_because == "not today"
    assert len(arena.hellos) == 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_no_arena_is_a_sentence_that_helps() -> None:
    with pytest.raises(
        WatchError, match=r"no arena at http://127.0.0.1:\d+: start one with `agon serve`"
    ):
        await locate(f"http://127.0.0.1:{free_port()}")


async def test_something_else_than_an_arena_is_no_arena(arena: ScriptedArena) -> None:
    with pytest.raises(WatchError, match="no arena"):
        await locate(f"{arena.url}/elsewhere")


async def test_never_connected_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_CONNECT_S", 0.3)
    watcher = Watcher(f"http://127.0.0.1:{free_port()}")
    async with asyncio.timeout(5):
        with pytest.raises(WatchError, match="agon doctor"):
            await watcher.connection.run()
    assert watcher.state.link is Link.CONNECTING
