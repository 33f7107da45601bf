"""A host on a real Redis and an oracle that it asks: answers, failures, silence, hand-overs; and what
is said of a session that has ended."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from redis.asyncio import Redis

from server.clock import unix_ms
from server.host.asking import Asking
from server.live.records import LogEvent, SessionRecord
from server.match import Asked
from spaces import registry, transcript
from spaces.space import Inquiry, Observation
from tests.conformance.tides import Tides
from tests.server.live_play import Players, Shelf, form, host_on, until
from tests.server.test_host import held, running, steal


@pytest.fixture(autouse=True)
def tides() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry._registered, Tides.id, Tides())
        yield


@pytest.fixture
async def players(redis: Redis) -> Players:
    return Players(redis)


class Harbour:
    """An oracle that knows all tides. `failures` are raised first; `shut` makes it hang."""

    def __init__(self, failures: Sequence[Exception] = (), *, shut: bool = False) -> None:
        self.failures = list(failures)
        self.shut = shut
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.at_once = self.most_at_once = self.cancelled = 0
        self._rng = random.Random(1)

    async def answer(self, record: SessionRecord, inquiry: Inquiry) -> Observation:
        self.asked.append((record.session, inquiry.ask))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(1_000 if self.shut else 0.005)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.at_once -= 1
        if self.failures:
            raise self.failures.pop(0)
        return Observation("harbour", {"tide": self._rng.randrange(100)})


def types(events: list[LogEvent]) -> list[str]:
    return [event.type for event in events]


async def test_an_oracle_session_is_played_and_sealed(redis: Redis, players: Players) -> None:
    shelf, harbour = Shelf(), Harbour()
    async with running(host_on(redis, shelf.keep, answer=harbour.answer)), asyncio.timeout(20):
        await form(players.log, "S1", "tides", rounds=3)
        await form(players.log, "S2")
        await players.play(["S1", "S2"])
    events = await players.events("S1")
    assert types(events).count("oracle") == 4
    assert [session for session, _ in harbour.asked] == ["S1"] * 4, "asked once each"
    replayed = transcript.replay(transcript.read(shelf.sealed["S1"].document))
    assert replayed.outcome.termination == "complete"
    assert shelf.sealed["S1"].steps == ("settle", "pin", "rate")
    row = str(harbour.asked[0][1]["row"])
    for view in (await players.view("S1"), *[await players.view("S1", n) for n in range(3)]):
        assert row not in str(view.state)


async def test_an_oracle_is_not_asked_before_its_time(redis: Redis, players: Players) -> None:
    harbour = Harbour()
    async with running(host_on(redis, Shelf().keep, answer=harbour.answer)), asyncio.timeout(10):
        record = await form(players.log, "S1", "tides", delay_ms=400)
        await until(lambda: answered(players, "S1"))
    events = await players.events("S1")
    inquiry, oracle = events[2], events[3]
    assert (inquiry.type, oracle.type) == ("inquiry", "oracle")
    assert inquiry.body["opens_ms"] <= record.opened_ms + oracle.t < inquiry.body["deadline_ms"]


async def answered(players: Players, session: str) -> bool:
    return "oracle" in types(await players.events(session))


async def test_an_oracle_that_fails_is_asked_again(redis: Redis, players: Players) -> None:
    shelf, harbour = Shelf(), Harbour([OSError("no route"), ValueError("bad gateway")])
    async with running(host_on(redis, shelf.keep, answer=harbour.answer)), asyncio.timeout(20):
        await form(players.log, "S1", "tides")
        await players.play(["S1"])
    assert shelf.sealed["S1"].status == "ended"
    assert harbour.failures == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"answer": Harbour([OSError("no \x1b[2Jroute")] * 99).answer}, "no [2Jroute"),
        ({"answer": Harbour(shut=True).answer}, "no answer in time"),
        ({}, "this host has no oracle to ask for the 'tide' of a tides session"),
    ],
)
async def test_an_oracle_that_is_silent_voids_the_session(
    redis: Redis, players: Players, given: dict[str, Any], reason: str
) -> None:
    shelf = Shelf()
    async with running(host_on(redis, shelf.keep, **given)), asyncio.timeout(20):
        await form(players.log, "S1", "tides", limit_ms=4_000)
        await players.play(["S1"])
    sealed = shelf.sealed["S1"]
    assert sealed.outcome == {"reason": f"the oracle did not answer: {reason}"}
    assert (sealed.status, sealed.steps) == ("void", ("settle", "pin"))
    assert transcript.replay(transcript.read(sealed.document)).outcome.termination == "void"


async def test_the_next_host_asks_anew(redis: Redis, players: Players) -> None:
    shelf, closed = Shelf(), Harbour(shut=True)
    await form(players.log, "S1", "tides", limit_ms=30_000)
    async with asyncio.timeout(20):
        async with running(host_on(redis, shelf.keep, "host-1", answer=closed.answer)):
            await until(lambda: asked_of(closed, 1))
        assert closed.cancelled == 1
        async with running(host_on(redis, shelf.keep, "host-2", answer=Harbour().answer)):
            await players.play(["S1"])
    events = await players.events("S1")
    numbers = [each.body["number"] for each in events if each.type == "inquiry"]
    assert numbers == [1, 1, 2, 3]
    assert shelf.sealed["S1"].status == "ended"


async def asked_of(harbour: Harbour, count: int) -> bool:
    return len(harbour.asked) >= count


async def test_a_drained_host_asks_no_longer(redis: Redis, players: Players) -> None:
    shelf, closed = Shelf(), Harbour(shut=True)
    await form(players.log, "S1", "tides", limit_ms=30_000)
    first = host_on(redis, shelf.keep, "host-1", ttl_ms=60_000, answer=closed.answer)
    task = asyncio.create_task(first.run())
    async with asyncio.timeout(20):
        await until(lambda: asked_of(closed, 1))
        await first.drain()
        await task
        assert closed.cancelled == 1
        async with running(host_on(redis, shelf.keep, "host-2", answer=Harbour().answer)):
            await players.play(["S1"])


async def test_who_loses_the_lease_stops_asking(redis: Redis, players: Players) -> None:
    closed = Harbour(shut=True)
    await form(players.log, "S1", "tides", limit_ms=30_000)
    host = host_on(redis, Shelf().keep, ttl_ms=400, answer=closed.answer)
    async with running(host), asyncio.timeout(10):
        await until(lambda: asked_of(closed, 1))
        await steal(redis, "S1")
        await until(lambda: held(host, 0))
        assert closed.cancelled == 1
        before = await players.events("S1")
        await asyncio.sleep(0.2)
        assert await players.events("S1") == before


async def test_an_oracle_is_asked_by_a_bounded_number_at_once(
    redis: Redis, players: Players, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.host.asking.AT_ONCE", 3)
    shelf, harbour = Shelf(), Harbour()
    sessions = [f"S{n}" for n in range(20)]
    async with running(host_on(redis, shelf.keep, answer=harbour.answer)), asyncio.timeout(30):
        for session in sessions:
            await form(players.log, session, "tides", limit_ms=20_000)
        await players.play(sessions)
    assert harbour.most_at_once == 3
    assert {sealed.status for sealed in shelf.sealed.values()} == {"ended"}


async def test_a_feed_that_hangs_holds_up_nobody_who_asks_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.host.asking.AT_ONCE", 2)

    async def answer(_: Any, inquiry: Inquiry) -> Observation:
        if inquiry.ask["feed"] == "live":
            await asyncio.sleep(1_000)
        return Observation("recording", {})

    wake = asyncio.Event()
    asking = Asking(answer, unix_ms, wake)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        asking.start(group)
        for n in range(20):
            asking.ask(_waiting(f"L{n}", "live"))
        await asyncio.sleep(0.02)
        asking.ask(_waiting("R", "recorded"))
        await wake.wait()
        assert [answered.held.session for answered in asking.take()] == ["R"]
        asking.close()


def _waiting(session: str, feed: str) -> Any:
    """A held session, as far as `Asking` looks at it."""
    opens_ms = unix_ms()
    asked = Asked(1, Inquiry("history", {"feed": feed}, 30_000), opens_ms, opens_ms + 30_000)
    match = SimpleNamespace(inquiry=asked, unanswered=lambda *_: None)
    return SimpleNamespace(session=session, record=None, match=match)


# ------------------------------------------------------------------ annotations


async def regret(space: str, state: Any) -> Sequence[dict[str, Any]]:
    """What a commentator might say, from the last state alone."""
    return [{"kind": "regret", "space": space, "seats": [0] * len(state.points)}]


async def test_a_session_is_annotated_before_it_is_sealed(redis: Redis, players: Players) -> None:
    shelf = Shelf()
    host = host_on(redis, shelf.keep, answer=Harbour().answer, annotate=regret)
    async with running(host), asyncio.timeout(20):
        await form(players.log, "S1", "tides")
        await players.play(["S1"])
    events = await players.events("S1")
    assert types(events)[-3:] == ["end", "annotation", "digest"]
    read = transcript.read(shelf.sealed["S1"].document)
    assert read.entries[-1].body == {"kind": "regret", "space": "tides", "seats": [0, 0, 0]}
    assert transcript.replay(read).digest == shelf.sealed["S1"].digest
    assert (await players.view("S1")).annotations == [read.entries[-1].body]


async def breaks(space: str, state: Any) -> Sequence[dict[str, Any]]:
    raise KeyError("a bug of the commentator")


async def dawdles(space: str, state: Any) -> Sequence[dict[str, Any]]:
    await asyncio.sleep(60)
    return [{"kind": "late"}]


async def floats(space: str, state: Any) -> Sequence[dict[str, Any]]:
    return [{"kind": "regret", "mean": 0.5}]


async def babbles(space: str, state: Any) -> Sequence[dict[str, Any]]:
    return [{"kind": "regret", "words": "x" * 70_000}]


@pytest.mark.parametrize("annotate", [breaks, dawdles, floats, babbles])
async def test_commentary_that_fails_costs_nothing_but_itself(
    redis: Redis, players: Players, monkeypatch: pytest.MonkeyPatch, annotate: Any
) -> None:
    monkeypatch.setattr("server.host.commentary.LIMIT_S", 0.1)
    shelf = Shelf()
    host = host_on(redis, shelf.keep, answer=Harbour().answer, annotate=annotate)
    async with running(host), asyncio.timeout(20):
        await form(players.log, "S1", "tides", rounds=1)
        await players.play(["S1"])
    assert types(await players.events("S1"))[-2:] == ["end", "digest"]
    assert shelf.sealed["S1"].status == "ended"


async def test_a_void_session_is_not_annotated(redis: Redis, players: Players) -> None:
    shelf = Shelf()
    async with running(host_on(redis, shelf.keep, annotate=regret)), asyncio.timeout(20):
        await form(players.log, "S1", "tides", limit_ms=50)
        await players.play(["S1"])
    assert types(await players.events("S1"))[-2:] == ["void", "digest"]


async def test_a_host_that_takes_over_an_annotated_session_seals_the_same(
    redis: Redis, players: Players
) -> None:
    shelf, stuck = Shelf(), asyncio.Event()

    async def dies(sealed: Any) -> None:
        await shelf.keep(sealed)
        stuck.set()
        await asyncio.Event().wait()

    await form(players.log, "S1", "tides", rounds=1)
    oracle = Harbour().answer
    async with asyncio.timeout(20):
        async with running(host_on(redis, dies, "host-1", answer=oracle, annotate=regret)):
            playing = asyncio.create_task(players.play(["S1"]))
            await stuck.wait()
        async with running(host_on(redis, shelf.keep, "host-2", answer=oracle, annotate=regret)):
            await playing
    assert shelf.times == 2, "kept by both, to the same byte"
    assert types(await players.events("S1")).count("annotation") == 1


async def test_a_host_that_dies_over_its_commentary_leaves_none(
    redis: Redis, players: Players
) -> None:
    """The next one cannot know whether the session was sealed without."""
    shelf, commenting = Shelf(), asyncio.Event()

    async def never(space: str, state: Any) -> Sequence[dict[str, Any]]:
        commenting.set()
        await asyncio.Event().wait()
        return ()

    await form(players.log, "S1", "tides", rounds=1)
    oracle = Harbour().answer
    async with asyncio.timeout(20):
        async with running(host_on(redis, shelf.keep, "host-1", answer=oracle, annotate=never)):
            playing = asyncio.create_task(players.play(["S1"]))
            await commenting.wait()
        async with running(host_on(redis, shelf.keep, "host-2", answer=oracle, annotate=regret)):
            await playing
    assert types(await players.events("S1"))[-2:] == ["end", "digest"]


async def test_who_lost_the_lease_annotates_nothing(redis: Redis, players: Players) -> None:
    commenting, go_on = asyncio.Event(), asyncio.Event()

    async def slow(space: str, state: Any) -> Sequence[dict[str, Any]]:
        commenting.set()
        await go_on.wait()
        return await regret(space, state)

    shelf = Shelf()
    await form(players.log, "S1", "tides", rounds=1)
    host = host_on(redis, shelf.keep, ttl_ms=60_000, answer=Harbour().answer, annotate=slow)
    async with running(host), asyncio.timeout(20):
        playing = asyncio.create_task(players.play(["S1"]))
        await commenting.wait()
        playing.cancel()
        await steal(redis, "S1")
        go_on.set()
        await until(lambda: held(host, 0))
    assert types(await players.events("S1"))[-1] == "end"
    assert shelf.sealed == {}
