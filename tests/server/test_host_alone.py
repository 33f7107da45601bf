"""One session's trouble is its own: odd answers of a feed, answers that break a match, sealing that
fails, each beside a session that goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from redis.asyncio import Redis

from server.host.ending import Endings
from server.host.held import Held
from server.live.records import SessionRecord
from server.match import Match
from spaces import registry
from spaces.space import Inquiry, Observation
from tests.conformance.tides import Tides
from tests.server.live_play import Players, Shelf, form, host_on
from tests.server.test_host import running


@pytest.fixture(autouse=True)
def tides() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry._registered, Tides.id, Tides())
        yield


@pytest.fixture
async def players(redis: Redis) -> Players:
    return Players(redis)


async def harbour(record: SessionRecord, inquiry: Inquiry) -> Observation:
    return Observation("harbour", {"tide": 50})


@pytest.mark.parametrize("odd", [None, {"tide": 50}, "tide"])
async def test_what_is_no_observation_is_a_try_that_failed(
    redis: Redis, players: Players, odd: Any
) -> None:
    asked: list[str] = []

    async def answer(record: SessionRecord, inquiry: Inquiry) -> Any:
        asked.append(record.session)
        return odd if asked.count(record.session) == 1 else await harbour(record, inquiry)

    shelf = Shelf()
    async with running(host_on(redis, shelf.keep, answer=answer)):
        await form(players.log, "S1", "tides", rounds=1)
        await players.play(["S1"])
    assert shelf.sealed["S1"].status == "ended"
    assert asked == ["S1"] * 3


async def test_an_answer_that_breaks_its_match_costs_the_others_nothing(
    redis: Redis, players: Players, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = Match.learn

    def fragile(self: Match, now_ms: int, number: int, observation: Observation) -> None:
        if self.record.session == "BAD":
            raise KeyError("a bug of ours")
        learn(self, now_ms, number, observation)

    monkeypatch.setattr(Match, "learn", fragile)
    shelf, good = Shelf(), [f"S{n}" for n in range(5)]
    for session in ("BAD", *good):
        await form(players.log, session, "tides", rounds=1)
    async with running(host_on(redis, shelf.keep, answer=harbour)):
        await players.play(["BAD", *good])
    assert shelf.sealed["BAD"].status == "void"
    assert {shelf.sealed[session].status for session in good} == {"ended"}


async def test_sealing_that_fails_does_not_end_the_host(
    redis: Redis, players: Players, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = Endings._comment

    async def fragile(self: Endings, held: Held) -> bool:
        if held.session == "BAD":
            raise ValueError("a bug of ours")
        return await comment(self, held)

    monkeypatch.setattr(Endings, "_comment", fragile)
    shelf = Shelf()
    async with running(host_on(redis, shelf.keep, answer=harbour)) as host:
        await form(players.log, "BAD", "tides", limit_ms=10)
        record = await form(players.log, "GOOD", "tides", rounds=1)
        assert record.session == "GOOD"
        await players.play(["GOOD"])
        assert host.stats.sealed >= 1
    assert shelf.sealed["GOOD"].status == "ended"
