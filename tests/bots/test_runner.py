"""Hosted agents and whole programs, through the HTTP API and the websocket of a scripted arena."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots import answer as answering
from bots.api import Api, Credentials
from bots.brains import BadSettings, make, names, openai
from bots.errors import BotError
from bots.hosted import BrainBot, HostedAgent
from bots.play import Settings, play
from bots.runner import Runner
from bots.turn import Turn
from server.protocol import Abandon, Accepted, Act, Dequeue, Enqueue, Subscribe, Ticket
from spaces.registry import get
from tests.bots.arena import (
    SESSION,
    Arena,
    Line,
    agent_view,
    arena,
    ended_view,
    session_view,
    snapshot,
    update,
)


@pytest.fixture
async def ring(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Arena]:
    async with arena() as running:

        async def gateway(self: Api) -> str:
            return running.url

        async def register(self: Api, name: str) -> Credentials:
            return Credentials(f"01{name}", f"agon_key_of_{name}_0123")

        monkeypatch.setattr(Api, "gateway", gateway)
        monkeypatch.setattr(Api, "register", register)
        monkeypatch.delenv("AGON_API_KEY", raising=False)
        yield running


async def play_session(line: Line) -> str:
    """One session in which the bot owes one bid; its answer."""
    await line.greet(agent_view(SESSION))
    await line.expect(Subscribe)
    await line.say(snapshot(1, session_view()))
    act = await line.expect(Act)
    await line.say(Accepted(act.id, SESSION, 2))
    await line.say(update(2, ended_view(), "end"))
    return act.text


async def test_a_runner_plays_its_agents_with_their_own_keys(ring: Arena, tmp_path: Path) -> None:
    agents = [
        HostedAgent(name="Dice", space="bid-tac-toe", brain="random", sessions=1),
        HostedAgent(name="Greedy", space="bid-tac-toe", brain="bidder", sessions=1, key="k" * 20),
    ]
    said: list[str] = []
    runner = Runner("http://arena.test", agents, keys_file=tmp_path / "keys", say=said.append)
    task = asyncio.create_task(runner.run())
    lines = [await ring.line(), await ring.line()]
    keys = set()
    for line in lines:
        hello = await line.greet(agent_view(SESSION))
        keys.add(hello.key)
        await line.expect(Subscribe)
        await line.say(snapshot(1, session_view(state=BID)))
        act = await line.expect(Act)
        bid = get("bid-tac-toe").parse("bid", act.text)
        assert 0 <= bid.bid <= 100
        await line.say(update(2, ended_view(), "end"))
    async with asyncio.timeout(5):
        await task
    assert keys == {"agon_key_of_Dice_0123", "k" * 20}
    assert runner.played == {"Dice": 1, "Greedy": 1}
    assert any(line.startswith("Greedy: ") for line in said)


BID = {
    "board": "." * 9,
    "chips": [100, 100],
    "phase": "bid",
    "payment": "all-pay",
    "advantage": None,
}


DEAD = {"url": "http://127.0.0.1:9/v1", "model": "m"}


@pytest.fixture
def dead_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead model is found out without the pauses between tries."""
    monkeypatch.setattr(openai, "RETRIES", 0)
    monkeypatch.setattr(answering, "PAUSE_S", ())


@pytest.mark.usefixtures("dead_at_once")
async def test_a_dead_model_voids_the_session_and_the_agent_rests(
    ring: Arena, tmp_path: Path
) -> None:
    agent = HostedAgent(name="Ember", space="bid-tac-toe", brain="llm", settings=DEAD, sessions=1)
    runner = Runner("http://x.test", [agent], keys_file=tmp_path / "keys", abandon_rest_s=1.0)
    task = asyncio.create_task(runner.run())
    line = await ring.line()
    await line.greet(agent_view(SESSION))
    await line.expect(Subscribe)
    await line.say(snapshot(1, session_view(state=BID)))
    abandon = await line.expect(Abandon)
    assert (abandon.session, abandon.turn) == (SESSION, 1)
    assert abandon.reason == "its model did not answer"
    void = {"reason": "seat 0 could not be played: its model did not answer"}
    await line.say(update(2, ended_view(status="void", outcome=void), "void"))
    began = asyncio.get_running_loop().time()
    again = await ring.line()  # neither an answer nor the queue on the first connection
    assert asyncio.get_running_loop().time() - began > 0.8
    await again.greet()
    assert (await again.expect(Enqueue)).space == "bid-tac-toe"
    assert runner.played == {"Ember": 0}
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.usefixtures("dead_at_once")
async def test_a_dead_model_of_a_remote_bot_is_left_to_the_deadline(
    ring: Arena, tmp_path: Path
) -> None:
    bot = BrainBot(make("llm", "bid-tac-toe", DEAD))
    settings = Settings(
        space="bid-tac-toe", name="Mine", keys_file=str(tmp_path / "keys"), url="http://x.test"
    )
    said: list[str] = []
    task = asyncio.create_task(play(bot, settings, say=said.append))
    line = await ring.line()
    await line.greet(agent_view(SESSION))
    await line.expect(Subscribe)
    await line.say(snapshot(1, session_view(state=BID)))
    assert await line.heard_nothing_but()
    assert any("the arena's deadline decides" in each for each in said)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_drain_leaves_the_queue_and_ends_the_run(ring: Arena, tmp_path: Path) -> None:
    agent = HostedAgent(name="Dice", space="bid-tac-toe", brain="random")
    runner = Runner("http://arena.test", [agent], keys_file=tmp_path / "keys")
    task = asyncio.create_task(runner.run())
    line = await ring.line()
    await line.greet()
    await line.expect(Enqueue)
    await line.say(Ticket("t1", "bid-tac-toe", 0, "waiting"))
    await line.websocket.ping()
    drain = asyncio.create_task(runner.drain(4.0))
    assert (await line.expect(Dequeue)).ticket == "t1"
    await line.say(Ticket("t1", "bid-tac-toe", 0, "gone"))
    assert await drain
    await task


async def test_drain_gives_up_on_sessions_that_last(ring: Arena, tmp_path: Path) -> None:
    agent = HostedAgent(name="Dice", space="bid-tac-toe", brain="random")
    runner = Runner("http://arena.test", [agent], keys_file=tmp_path / "keys")
    task = asyncio.create_task(runner.run())
    line = await ring.line()
    await line.greet(agent_view(SESSION))
    await line.expect(Subscribe)
    await line.say(snapshot(1, session_view(state=BID)))
    await line.expect(Act)
    assert not await runner.drain(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_one_agents_failure_is_its_own(ring: Arena, tmp_path: Path) -> None:
    agents = [
        HostedAgent(name="Dice", space="bid-tac-toe", brain="random", sessions=1),
        HostedAgent(name="Dice2", space="bid-tac-toe", brain="random", sessions=1),
    ]
    runner = Runner("http://arena.test", agents, keys_file=tmp_path / "keys")
    task = asyncio.create_task(runner.run())
    first, second = await ring.line(), await ring.line()
    await first.websocket.close(3504, "too many")
    await second.greet(agent_view(SESSION))
    await second.expect(Subscribe)
    await second.say(snapshot(1, session_view(state=BID)))
    await second.expect(Act)
    await second.say(update(2, ended_view(), "end"))
    third = await ring.line()  # the first one comes back after a while
    await third.greet(agent_view(SESSION))
    await third.expect(Subscribe)
    await third.say(snapshot(1, session_view(state=BID)))
    await third.expect(Act)
    await third.say(update(2, ended_view(), "end"))
    async with asyncio.timeout(5):
        await task


async def test_play_gives_the_results_and_closes_the_bot(ring: Arena, tmp_path: Path) -> None:
    def act(turn: Turn) -> dict[str, int]:
        return {"bid": 3}

    settings = Settings(name="Fn", keys_file=str(tmp_path / "keys"), url="http://arena.test")
    said: list[str] = []
    task = asyncio.create_task(play(act, settings, say=said.append))
    assert await play_session(await ring.line()) == '{"bid":3}'
    async with asyncio.timeout(5):
        (result,) = await task
    assert result.won


async def test_a_name_that_no_arena_takes_is_refused_here() -> None:
    with pytest.raises(BotError, match="1 to 32 characters"):
        await play(lambda turn: "x", Settings(name="x" * 33))


def test_brains_by_name() -> None:
    assert {"random", "bidder", "llm"} <= set(names())
    with pytest.raises(BadSettings, match="no brain 'genius'; there are random"):
        make("genius", "bid-tac-toe")
    with pytest.raises(BadSettings, match="bidder brain plays bid-tac-toe"):
        make("bidder", "rap-battle")
    with pytest.raises(BadSettings, match="temperature"):
        make("llm", "rap-battle", {"url": "http://x", "model": "m", "temperature": 9})
    with pytest.raises(BadSettings, match="mood"):
        make("random", "rap-battle", {"mood": "good"})
