"""The SDK against a scripted arena on a real websocket."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bots import answer, reconnect
from bots.api import Credentials
from bots.bot import Bot, make_bot
from bots.errors import ArenaUnreachable, ConnectionRefused, KeyRefused, NotAnArena, RequestRefused
from bots.keys import KEY_VARIABLE, Keys
from bots.player import Options, Player
from bots.signin import SignIn
from bots.turn import Result, Turn
from server.protocol import (
    Accepted,
    Act,
    Confirm,
    Dequeue,
    Enqueue,
    Error,
    Goodbye,
    Partial,
    Position,
    Rejected,
    SessionView,
    Subscribe,
    Ticket,
    VerdictView,
)
from tests.bots.arena import (
    KEY,
    SESSION,
    Arena,
    FoundArena,
    Line,
    agent_view,
    arena,
    ended_view,
    session_view,
    snapshot,
    until,
    update,
    update_agent,
)

ACT_1 = f"{SESSION}:1:0:1"
ACT_2 = f"{SESSION}:1:0:2"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnect, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(answer, "PAUSE_S", (0.01, 0.01))


@pytest.fixture
async def ring() -> AsyncIterator[Arena]:
    async with arena() as running:
        yield running


class Playing:
    """A bot at play, and what came of it."""

    def __init__(self, player: Player, task: asyncio.Task[list[Result]], api: FoundArena) -> None:
        self.player = player
        self.task = task
        self.api = api
        self.said: list[str] = []
        self.stop = asyncio.Event()

    async def results(self) -> list[Result]:
        async with asyncio.timeout(5):
            return await self.task


@asynccontextmanager
async def playing(ring: Arena, act: Any, **options: Any) -> AsyncIterator[Playing]:
    said: list[str] = []
    stop = asyncio.Event()
    api = FoundArena(ring.url)
    sign_in = SignIn(api, "Me", key=KEY, say=said.append)
    fields: dict[str, Any] = {"space": "bid-tac-toe", "verdict_s": 5.0}
    settings = Options(**(fields | options))
    player = Player(make_bot(act), api, sign_in, settings, said.append)
    task = asyncio.create_task(player.run(stop))
    running = Playing(player, task, api)
    running.said, running.stop = said, stop
    try:
        yield running
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def bid(turn: Turn) -> dict[str, int]:
    return {"bid": 7}


async def seated(line: Line, offset: int = 1) -> None:
    """The bot restarts into a live session in which it owes a bid."""
    await line.greet(agent_view(SESSION))
    await line.expect(Subscribe)
    await line.say(snapshot(offset, session_view()))


async def finish(line: Line, offset: int = 9) -> None:
    await line.say(update(offset, ended_view(), "end"))


@pytest.mark.parametrize("json", [False, True])
async def test_queue_seat_act_end(ring: Arena, json: bool) -> None:
    async with playing(ring, bid, json=json) as game:
        line = await ring.line()
        hello = await line.greet()
        assert hello.key == KEY
        assert (await line.expect(Enqueue)).space == "bid-tac-toe"
        await line.say(Ticket("t1", "bid-tac-toe", 0, "waiting", position=1, waiting=1))
        await line.say(update_agent(1, offers=("o1",), tickets=("t1",)))
        assert (await line.expect(Confirm)).offer == "o1"
        await line.say(update_agent(2, SESSION))
        assert (await line.expect(Subscribe)).channel == f"session:{SESSION}"
        await line.say(snapshot(1, session_view()))
        act = await line.expect(Act)
        assert (act.id, act.turn, act.text) == (ACT_1, 1, '{"bid":7}')
        await line.say(Accepted(act.id, SESSION, 2))
        await line.say(update(2, ended_view(), "end"))
        (result,) = await game.results()
        assert result.won
        assert result.termination == "line"
        log = "\n".join(game.said)
        assert "position 1 of 1" in log
        assert f"agon watch {SESSION}" in log
        assert "you won (line)" in log
        assert "\x1b" not in log  # the rival's name cannot colour the screen
        assert KEY not in log


async def test_a_connection_lost_before_the_ack_resends_the_same_id(ring: Arena) -> None:
    calls = []

    async def act(turn: Turn) -> str:
        calls.append(turn.turn)
        return "bid: 7"

    async with playing(ring, act) as game:
        first = await ring.line()
        await seated(first)
        assert (await first.expect(Act)).id == ACT_1
        first.websocket.transport.abort()

        second = await ring.line()
        await second.greet(agent_view(SESSION))
        again = await second.expect(Act)
        assert (again.id, again.text) == (ACT_1, "bid: 7")
        subscribe = await second.expect(Subscribe)
        assert subscribe.since == Position("e1", 1)
        assert calls == [1]
        assert game.api.asked == 2  # the address is asked for anew
        await second.say(Accepted(ACT_1, SESSION, 2))
        await finish(second, 2)
        assert [result.won for result in await game.results()] == [True]


async def test_a_connection_lost_while_thinking_asks_the_author_once(ring: Arena) -> None:
    release = asyncio.Event()
    calls = []

    async def act(turn: Turn) -> str:
        calls.append(turn.attempt)
        await release.wait()
        return "bid: 3"

    async with playing(ring, act):
        first = await ring.line()
        await seated(first)
        await until(lambda: calls == [1])
        await first.websocket.close(3000)
        second = await ring.line()
        await second.greet(agent_view(SESSION))
        await second.expect(Subscribe)
        await second.say(snapshot(1, session_view()))
        release.set()
        assert (await second.expect(Act)).id == ACT_1
        assert calls == [1]


async def test_views_that_repeat_do_not_make_it_play_twice(ring: Arena) -> None:
    calls = []

    async def act(turn: Turn) -> str:
        calls.append((turn.turn, turn.attempt))
        return "bid: 1"

    async with playing(ring, act):
        line = await ring.line()
        await seated(line)
        await line.expect(Act)
        await line.say(Accepted(ACT_1, SESSION, 2))
        for offset in (2, 3):
            await line.say(update(offset, session_view()))
        await line.say(snapshot(3, session_view()))
        assert await line.heard_nothing_but()
        await line.say(update(4, session_view(turn=2)))
        assert (await line.expect(Act)).turn == 2
        assert calls == [(1, 1), (2, 1)]


async def test_a_rejected_answer_is_tried_again_with_the_reason(ring: Arena) -> None:
    turns: list[Turn] = []

    def act(turn: Turn) -> str:
        turns.append(turn)
        return "what?" if turn.attempt == 1 else "bid: 4"

    async with playing(ring, act) as game:
        line = await ring.line()
        await seated(line)
        await line.expect(Act)
        reason = "no bid found"
        await line.say(Rejected(ACT_1, SESSION, "unparsable", reason, 2, 1_040_000))
        await line.say(update(2, session_view(attempt=2, fault=reason), "fault"))
        second = await line.expect(Act)
        assert (second.id, second.text) == (ACT_2, "bid: 4")
        assert [(turn.attempt, turn.fault) for turn in turns] == [(1, None), (2, reason)]
        assert any("rejected: no bid found (unparsable); one more attempt" in s for s in game.said)


async def test_a_late_first_answer_is_dropped_for_the_second_attempt(ring: Arena) -> None:
    async def act(turn: Turn) -> str:
        if turn.attempt == 1:
            await asyncio.sleep(60)
        return "bid: 5"

    async with playing(ring, act):
        line = await ring.line()
        await seated(line)
        await line.say(update(2, session_view(attempt=2, fault="late"), "fault"))
        assert (await line.expect(Act)).id == ACT_2


async def test_a_blocking_act_leaves_the_socket_alive(ring: Arena) -> None:
    release = threading.Event()

    def act(turn: Turn) -> str:
        turn.write("thinking")
        release.wait(5)
        return "bid: 2"

    async with playing(ring, act):
        line = await ring.line()
        await seated(line)
        partial = await line.expect(Partial)
        assert (partial.at, partial.text) == (0, "thinking")
        pong = await line.websocket.ping()
        async with asyncio.timeout(2):
            await pong  # answered while act blocks its own thread
        release.set()
        assert (await line.expect(Act)).text == "bid: 2"


async def test_pieces_are_streamed_and_a_restart_begins_at_zero(ring: Arena) -> None:
    go = asyncio.Event()

    async def act(turn: Turn) -> str:
        await turn.write("one ")
        await turn.write("two")
        await go.wait()
        turn.restart()
        await turn.write("anew")
        await asyncio.sleep(0.3)
        return "bid: 2"

    async with playing(ring, act):
        line = await ring.line()
        await seated(line)
        text = ""
        while text != "one two":
            partial = await line.expect(Partial)
            assert partial.at == len(text)
            text += partial.text
        go.set()
        partial = await line.expect(Partial)
        assert (partial.at, partial.text) == (0, "anew")
        await line.expect(Act)


async def test_an_exception_is_shown_and_act_is_called_again(ring: Arena) -> None:
    calls = []

    def act(turn: Turn) -> str:
        calls.append(turn)
        if len(calls) == 1:
            raise ZeroDivisionError("my own mistake")
        return "bid: 9"

    async with playing(ring, act) as game:
        line = await ring.line()
        await seated(line)
        assert (await line.expect(Act)).text == "bid: 9"
        log = "\n".join(game.said)
        assert "my own mistake" in log
        assert "test_sdk.py" in log  # the author's line
        assert "answer.py" not in log  # none of ours


async def test_a_bot_that_always_raises_lives_on(ring: Arena) -> None:
    calls = []

    async def act(turn: Turn) -> Any:
        calls.append(turn.attempt)
        return None  # not an answer

    async with playing(ring, act) as game:
        line = await ring.line()
        await seated(line)
        await until(lambda: any("the arena's deadline decides" in s for s in game.said))
        assert calls == [1] * answer.CALLS
        assert any("act must return a str or a dict, got None" in s for s in game.said)
        await line.say(update(2, session_view(attempt=2, fault="late"), "fault"))
        await until(lambda: len(calls) == 2 * answer.CALLS)
        await line.say(
            update(3, ended_view(outcome={"termination": "forfeit", "returns": [-1, 1]}))
        )
        (result,) = await game.results()
        assert result.won is False


class Hooked(Bot):
    name = "Hooked"

    def __init__(self) -> None:
        self.heard: list[str] = []

    def act(self, turn: Turn) -> str:
        return "bid: 1"

    def on_seated(self, view: SessionView) -> None:
        time.sleep(0.05)  # a slow hook is called in order all the same
        self.heard.append("seated")

    async def on_update(self, view: SessionView) -> None:
        self.heard.append(f"turn {view.turn}")
        raise RuntimeError("hooks may fail")

    def on_end(self, result: Result) -> None:
        self.heard.append(f"end {result.won}")

    def on_verdict(self, result: Result) -> None:
        self.heard.append(f"verdict {result.won}")


async def test_hooks_are_called_in_order_and_may_fail(ring: Arena) -> None:
    bot = Hooked()
    async with playing(ring, bot) as game:
        line = await ring.line()
        await seated(line)
        await line.expect(Act)
        await line.say(update(2, session_view(turn=2)))
        await finish(line, 3)
        await game.results()
        assert bot.heard == ["seated", "turn 1", "turn 2", "end True"]
        assert any("hooks may fail" in s for s in game.said)


async def test_the_verdict_is_awaited_where_judges_decide(ring: Arena) -> None:
    bot = Hooked()
    undecided = {"termination": "complete", "returns": None}
    async with playing(ring, bot) as game:
        line = await ring.line()
        await seated(line)
        await line.say(update(2, ended_view(outcome=undecided), "end"))
        await until(lambda: "end None" in bot.heard)
        assert not game.task.done()
        verdict = VerdictView("r1", [], [6_500, 7_000], [2, 1])
        # Workers write the public view: it does not say which seat is ours.
        await line.say(
            update(3, ended_view(outcome=undecided, verdict=verdict, you=None), "verdict")
        )
        (result,) = await game.results()
        assert result.won is False
        assert bot.heard[-1] == "verdict False"


@pytest.mark.parametrize(
    ("code", "error"), [(3502, KeyRefused), (3504, ConnectionRefused), (3999, ConnectionRefused)]
)
async def test_a_final_close_code_is_a_clear_error(
    ring: Arena, code: int, error: type[Exception]
) -> None:
    async with playing(ring, bid) as game:
        line = await ring.line()
        await line.say(Goodbye(code, "because"))
        await line.websocket.close(code, "because")
        with pytest.raises(error, match=f"{code}.*because"):
            await game.results()
        assert ring.connections == 1


@pytest.mark.parametrize(
    "frame",
    [
        b"not a message",
        msgspec.msgpack.encode(Error("busy", "tries")).replace(b"tries", b"\xff\xfe\xff\xfe\xff"),
        b"\x91" * 100_000,
    ],
)
async def test_what_cannot_be_read_is_skipped(ring: Arena, frame: bytes) -> None:
    async with playing(ring, bid) as game:
        line = await ring.line()
        await line.websocket.send(frame)
        await line.greet()
        await line.expect(Enqueue)
        assert any("skipped a message" in said for said in game.said)


async def test_goodbye_is_obeyed(ring: Arena) -> None:
    async with playing(ring, bid):
        line = await ring.line()
        await line.greet()
        began = time.monotonic()
        await line.say(Goodbye(3000, "draining", reconnect_in_ms=300))
        await line.websocket.close(3000, "draining")
        await ring.line()
        assert 0.3 <= time.monotonic() - began < 2


async def test_an_unknown_space_ends_the_bot_with_the_arenas_words(ring: Arena) -> None:
    async with playing(ring, bid) as game:
        line = await ring.line()
        await line.greet()
        await line.expect(Enqueue)
        await line.say(Error("unknown-space", "there is no such space", ref="bid-tac-toe"))
        with pytest.raises(RequestRefused, match="there is no such space"):
            await game.results()


async def test_stop_leaves_the_queue_and_returns(ring: Arena) -> None:
    async with playing(ring, bid, sessions=None) as game:
        line = await ring.line()
        await line.greet()
        await line.expect(Enqueue)
        await line.say(Ticket("t1", "bid-tac-toe", 0, "waiting"))
        await until(lambda: any("queued" in s for s in game.said))
        game.stop.set()
        assert (await line.expect(Dequeue)).ticket == "t1"
        await line.say(Ticket("t1", "bid-tac-toe", 0, "gone"))
        assert await game.results() == []


class NobodyThere(FoundArena):
    async def gateway(self) -> str:
        self.asked += 1
        raise ArenaUnreachable("no arena answers")

    async def register(self, name: str) -> Credentials:
        self.asked += 1
        raise ArenaUnreachable("no arena answers")


@pytest.mark.parametrize("key", [None, KEY])
async def test_stop_before_the_first_contact_ends_the_bot_at_once(
    key: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    api, said, stop = NobodyThere(""), list[str](), asyncio.Event()
    sign_in = SignIn(api, "Me", key=key, keys_file=tmp_path / "keys.toml", say=said.append)
    player = Player(make_bot(bid), api, sign_in, Options(space="bid-tac-toe"), said.append)
    task = asyncio.create_task(player.run(stop))
    await until(lambda: api.asked > 3)
    assert sum("again in" in line for line in said) == 1  # not one line for each retry
    stop.set()
    async with asyncio.timeout(1):
        assert await task == []
    asked = api.asked
    await asyncio.sleep(0.2)
    assert api.asked == asked  # it registers nobody when the arena comes up now


@pytest.mark.parametrize("hangs", ["gateway", "register"])
async def test_stop_does_not_wait_for_an_arena_that_hangs(
    hangs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    asked = asyncio.Event()

    async def hang(*_: object) -> str:
        asked.set()
        await asyncio.sleep(60)
        return ""

    api, stop = FoundArena(""), asyncio.Event()
    monkeypatch.setattr(api, hangs, hang)
    key = KEY if hangs == "gateway" else None
    sign_in = SignIn(api, "Me", key=key, keys_file=tmp_path / "keys.toml", say=lambda line: None)
    player = Player(make_bot(bid), api, sign_in, Options(space="bid-tac-toe"), lambda line: None)
    task = asyncio.create_task(player.run(stop))
    await asked.wait()
    stop.set()
    async with asyncio.timeout(1):
        assert await task == []


async def test_stop_before_the_welcome_ends_the_bot_at_once(ring: Arena) -> None:
    async with playing(ring, bid) as game:
        await ring.line()
        game.stop.set()
        async with asyncio.timeout(2):
            assert await game.task == []


async def test_stop_plays_the_live_session_to_its_end(ring: Arena) -> None:
    async with playing(ring, bid, sessions=None) as game:
        line = await ring.line()
        await seated(line)
        await line.expect(Act)
        game.stop.set()
        await line.say(update(2, session_view(turn=2)))
        assert (await line.expect(Act)).turn == 2
        await finish(line, 3)
        assert len(await game.results()) == 1


async def test_a_session_that_ended_while_away_is_not_counted(ring: Arena) -> None:
    async with playing(ring, bid) as game:
        line = await ring.line()
        await line.greet(agent_view(SESSION))
        await line.expect(Subscribe)
        await line.say(snapshot(9, ended_view()))
        assert await line.expect(Enqueue)
        assert not game.task.done()


async def test_messages_of_a_newer_arena_are_skipped(ring: Arena) -> None:
    async with playing(ring, bid):
        line = await ring.line()
        await line.websocket.send('{"type":"fireworks"}')
        await line.greet()
        assert await line.expect(Enqueue)


async def test_an_address_that_is_no_gateway(ring: Arena) -> None:
    ring.url = "ws://"
    async with playing(ring, bid) as game:
        with pytest.raises(NotAnArena):
            await game.results()


async def test_a_gateway_that_sends_us_elsewhere_is_not_followed(ring: Arena) -> None:
    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 307 X\r\nLocation: {ring.url}\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(redirect, "127.0.0.1", 0) as server:
        elsewhere = Arena()
        elsewhere.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with playing(elsewhere, bid) as game:
            with pytest.raises(NotAnArena, match="307"):
                await game.results()
    assert ring.connections == 0


async def test_a_new_agent_is_registered_when_the_arena_forgot_the_kept_key(
    ring: Arena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)

    class Registrar(FoundArena):
        async def register(self, name: str) -> Credentials:
            return Credentials("01NEW", "agon_a_brand_new_key_")

    api = Registrar(ring.url)
    path = tmp_path / "keys.toml"
    Keys(path).keep(api.url, "Me", Credentials("01OLD", KEY))
    said: list[str] = []
    sign_in = SignIn(api, "Me", keys_file=path, say=said.append)
    player = Player(make_bot(bid), api, sign_in, Options(space="bid-tac-toe"), said.append)
    task = asyncio.create_task(player.run(asyncio.Event()))
    try:
        line = await ring.line()
        await line.websocket.close(3502, "unknown key")
        line = await ring.line()
        assert (await line.greet()).key == "agon_a_brand_new_key_"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
