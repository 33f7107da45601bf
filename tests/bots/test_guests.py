"""Owners' agents in the runner: who comes and goes, which version plays, through a scripted arena."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from bots.api import Api
from bots.hosted import MAX_BRAINS, Guest, Part, VersionBot
from bots.runner import Runner
from bots.turn import Turn
from server.protocol import Abandon, Act, CloseCode, Confirm, Offer, SeatCard, Subscribe
from tests.bots.arena import (
    AGENT,
    SESSION,
    Arena,
    agent_view,
    arena,
    ended_view,
    session_view,
    snapshot,
    until,
    update,
    update_agent,
)
from tests.bots.test_runner import BID


class Owners:
    """A source of guests that says what the test wants it to."""

    def __init__(self, *agents: str) -> None:
        self.there = list(agents)
        self.parts: dict[str, Part] = {"v1": Part("random", {"seed": 1})}
        self.asked: list[tuple[str, str]] = []
        self.keys = 0
        self.given: dict[str, str] = {}
        self.away = False

    async def guests(self) -> Sequence[Guest]:
        if self.away:
            raise ConnectionError("the store is away")
        return [Guest(agent, agent.title()) for agent in self.there]

    async def key(self, agent: str) -> str:
        if agent not in self.given:
            self.keys += 1
            self.given[agent] = f"agon_key_{self.keys}_of_{agent}"
        return self.given[agent]

    def refused(self, agent: str) -> None:
        del self.given[agent]

    async def part(self, version: str, space: str) -> Part:
        self.asked.append((version, space))
        return self.parts[version]


@pytest.fixture
async def ring(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Arena]:
    async with arena() as running:

        async def gateway(self: Api) -> str:
            return running.url

        monkeypatch.setattr(Api, "gateway", gateway)
        yield running


@asynccontextmanager
async def runner_of(source: Owners) -> AsyncIterator[Runner]:
    runner = Runner("http://arena.test", [], source=source, source_s=0.02, abandon_rest_s=0.1)
    task = asyncio.create_task(runner.run())
    try:
        yield runner
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def seated_as(version: str, **more: Any) -> Any:
    cards = [SeatCard(0, AGENT, "Me", version), SeatCard(1, "01RIVAL", "Rival", "v9")]
    return session_view(state=BID, seats=cards, **more)


async def test_a_guest_waits_confirms_and_plays_but_never_queues(ring: Arena) -> None:
    async with runner_of(Owners("ember")):
        line = await ring.line()
        hello = await line.greet(agent_view(tickets=("t-of-its-automation",)))
        assert hello.key == "agon_key_1_of_ember"
        assert await line.heard_nothing_but(for_s=0.2), "the ticket is the automation's business"
        await line.say(update_agent(1, offers=("o0",)))
        assert (await line.expect(Confirm)).offer == "o0"
        await line.say(update_agent(2, SESSION))
        await line.expect(Subscribe)
        await line.say(snapshot(1, seated_as("v1")))
        assert (await line.expect(Act)).session == SESSION


async def test_offers_of_any_space_and_tier_are_taken(ring: Arena) -> None:
    async with runner_of(Owners("ember")):
        line = await ring.line()
        view = agent_view()
        view.offers.append(Offer("o1", "t1", "rap-battle", 500_000, 2_000_000))
        await line.greet(view)
        assert (await line.expect(Confirm)).offer == "o1"


async def test_each_session_is_played_by_the_version_that_was_seated(ring: Arena) -> None:
    source = Owners("ember")
    source.parts["v2"] = Part("bidder")
    async with runner_of(source):
        line = await ring.line()
        await line.greet(agent_view("s1", "s2"))
        for _ in range(2):
            await line.expect(Subscribe)
        await line.say(snapshot(1, seated_as("v2", session="s1")))
        await line.expect(Act)
        await line.say(snapshot(1, seated_as("v1", session="s2")))
        await line.expect(Act)
        assert source.asked == [("v2", "bid-tac-toe"), ("v1", "bid-tac-toe")]
        await line.say(update(2, seated_as("v2", session="s1", turn=2)))
        await line.expect(Act)
        assert len(source.asked) == 2, "a version never changes: it is asked for once"


async def test_who_is_wanted_no_more_goes_after_its_live_session(ring: Arena) -> None:
    source = Owners("ember")
    async with runner_of(source) as runner:
        line = await ring.line()
        await line.greet(agent_view(SESSION))
        await line.expect(Subscribe)
        source.there.clear()
        await asyncio.sleep(0.1)
        await line.say(snapshot(1, seated_as("v1")))
        await line.expect(Act)
        assert runner.guests == {"ember"}
        await line.say(update(2, ended_view(), "end"))
        await until(lambda: not runner.guests)
        await line.websocket.wait_closed()
        assert runner.played == {"ember": 1}
        source.there.append("ember")
        again = await ring.line()
        assert (await again.greet()).key == "agon_key_1_of_ember"


async def test_guests_stay_while_nobody_knows_who_is_wanted(ring: Arena) -> None:
    source = Owners("ember")
    async with runner_of(source) as runner:
        line = await ring.line()
        await line.greet()
        source.away = True
        assert await line.heard_nothing_but(for_s=0.2)
        assert runner.guests == {"ember"}
        source.away = False
        source.there.append("frost")
        await (await ring.line()).greet()
        assert runner.guests == {"ember", "frost"}


async def test_one_guests_failure_is_its_own_and_a_refused_key_is_replaced(ring: Arena) -> None:
    source = Owners("ember", "frost")
    async with runner_of(source) as runner:
        first, second = await ring.line(), await ring.line()
        await first.websocket.close(CloseCode.UNAUTHORIZED, "unknown key")
        await second.greet(agent_view(SESSION))
        await second.expect(Subscribe)
        await second.say(snapshot(1, seated_as("v1")))
        await second.expect(Act)
        third = await ring.line()
        assert (await third.greet()).key in source.given.values()
        assert source.keys == 3
        assert runner.guests == {"ember", "frost"}


async def test_a_version_that_cannot_be_played_voids_and_rests(
    ring: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.answer.PAUSE_S", ())
    source = Owners("ember")
    source.parts["v1"] = Part("solver", {"no": "such setting"})
    async with runner_of(source):
        line = await ring.line()
        await line.greet(agent_view(SESSION))
        await line.expect(Subscribe)
        await line.say(snapshot(1, seated_as("v1")))
        abandon = await line.expect(Abandon)
        assert abandon.reason == "its program failed"
        void = {"reason": "seat 0 could not be played"}
        await line.say(update(2, ended_view(status="void", outcome=void), "void"))
        await (await ring.line()).greet()


async def test_drain_lets_every_guest_finish(ring: Arena) -> None:
    source = Owners("ember")
    runner = Runner("http://arena.test", [], source=source, source_s=0.02)
    task = asyncio.create_task(runner.run())
    line = await ring.line()
    await line.greet(agent_view(SESSION, tickets=("t1",)))
    await line.expect(Subscribe)
    await line.say(snapshot(1, seated_as("v1")))
    await line.expect(Act)
    drain = asyncio.create_task(runner.drain(5.0))
    await asyncio.sleep(0.05)
    assert not drain.done()
    await line.say(update(2, ended_view(), "end"))
    assert await drain
    await task
    assert source.keys == 1


async def test_a_crowd_of_versions_is_not_kept() -> None:
    class All(Owners):
        async def part(self, version: str, space: str) -> Part:
            self.asked.append((version, space))
            return Part("random", {"seed": 1})

    source = All()
    bot = VersionBot(source, lambda part, space: Echo(part))

    async def play(version: str) -> None:
        card = SeatCard(0, AGENT, "Me", version)
        turn = Turn(
            session="s", space="bid-tac-toe", turn=1, seat=0, kind="bid", view={}, seats=(card,)
        )
        await bot.act(turn)

    for n in range(MAX_BRAINS + 1):
        await play(f"v{n}")
    await play("v1")
    assert len(source.asked) == MAX_BRAINS + 1
    await play("v0")
    assert len(source.asked) == MAX_BRAINS + 2, "the one that was not used for longest has gone"


class Echo:
    def __init__(self, part: Part) -> None:
        self._part = part

    async def act(self, turn: Turn) -> str:
        return self._part.brain
