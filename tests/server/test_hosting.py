"""What the runner is told of owners' agents: who is due, by which claim, with which part."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from server.agents.limits import Limits
from server.agents.spec import VersionSpec
from server.clock import unix_ms
from server.hosting import Hosted, ModelServer, UnknownVersion, part_of
from server.identity import HOUSE_OWNER, Identity, Kind, new_id
from server.live.hosting import Claims
from server.live.queue_names import Queue
from server.live.records import SeatRecord, SessionRecord, TicketRecord
from server.store import Store
from server.store.admission import NotPlaying
from server.store.agents import HOST_KEY_MS, Draft
from server.store.owned import Changes

SERVER = ModelServer("http://127.0.0.1:1/v1", "tiny", "secret")
MANY = Limits(1_000, 1_000)


async def made(
    store: Store, name: str, kind: Kind = "hosted", owner: str | None = None
) -> Identity:
    return (await store.agents.make(Draft(name=name, kind=kind), owner))[0]


def ticket_of(agent: Identity) -> TicketRecord:
    return TicketRecord(
        Queue("bid-tac-toe", 0).new_name(),
        agent.agent,
        agent.name,
        agent.version,
        agent.owner,
        "bid-tac-toe",
        0,
        25_000,
        8_333,
        1,
        agent.kind,
    )


async def seated(store: Store, *agents: Identity) -> str:
    seats = tuple(
        SeatRecord(n, a.agent, a.name, a.version, a.owner, b"0" * 32, kind=a.kind)
        for n, a in enumerate(agents)
    )
    session = new_id()
    now = unix_ms()
    await store.sessions.form(
        SessionRecord(session, "bid-tac-toe", "bid-tac-toe/1", {}, 0, now, b"seed" * 8, seats)
    )
    return session


async def due(store: Store) -> set[str]:
    return {each.name for each in await store.hosting.due()}


async def test_hosted_agents_are_due_while_they_wait_or_sit(store: Store) -> None:
    ember, frost = await made(store, "Ember"), await made(store, "Frost", "remote")
    assert await due(store) == set(), "who has nothing to play is left alone"
    for agent in (ember, frost):
        await store.entries.hold(ticket_of(agent))
    assert await due(store) == {"Ember"}, "remote agents are their owners' to play"
    for hold in await store.entries.of_agent(ember.agent):
        await store.entries.release(hold.ticket)
    assert await due(store) == set()
    session = await seated(store, ember, frost)
    assert await due(store) == {"Ember"}
    await store.sessions.opened(session)
    assert await due(store) == {"Ember"}
    await store.sessions.seal(
        session=session,
        status="ended",
        outcome={},
        document=b"{}",
        digest="0" * 64,
        steps=[],
        now_ms=unix_ms(),
    )
    assert await due(store) == set()


async def test_what_it_sits_in_is_played_whatever_has_become_of_it(store: Store) -> None:
    ember, frost, cinder = [await made(store, name) for name in ("Ember", "Frost", "Cinder")]
    await seated(store, ember, frost)
    await store.entries.hold(ticket_of(cinder))
    await store.owned.edit(ember.agent, Changes(kind="remote"), MANY)
    await store.owned.archive(frost.agent)
    await store.owned.archive(cinder.agent)
    assert await due(store) == {"Ember", "Frost"}


async def test_a_seat_of_a_remote_agent_is_not_the_runners(store: Store) -> None:
    ember, frost = await made(store, "Ember", "remote"), await made(store, "Frost", "remote")
    await seated(store, ember, frost)
    await store.owned.edit(ember.agent, Changes(kind="hosted"), MANY)
    assert await due(store) == set(), "its owner's bot was seated and finishes it"


async def test_the_house_queues_by_itself(store: Store) -> None:
    house = await made(store, "Dice", owner=HOUSE_OWNER)
    await store.entries.hold(ticket_of(house))
    assert await due(store) == set()


async def test_an_agent_is_played_by_one_runner(store: Store, redis: Redis) -> None:
    agents = [await made(store, f"A{n}") for n in range(3)]
    for agent in agents:
        await store.entries.hold(ticket_of(agent))
    one = Hosted(store.hosting, Claims(redis, "one"), SERVER, capacity=2)
    other = Hosted(store.hosting, Claims(redis, "other"), SERVER, capacity=2)
    first = {guest.agent for guest in await one.guests()}
    second = {guest.agent for guest in await other.guests()}
    assert len(first) == 2
    assert not first & second
    assert {guest.agent for guest in await one.guests()} == first, "it keeps those that it has"
    await one.close()
    assert {guest.agent for guest in await other.guests()} >= second


async def test_all_agents_find_a_runner_although_one_is_full(store: Store, redis: Redis) -> None:
    for n in range(4):
        await store.entries.hold(ticket_of(await made(store, f"A{n}")))
    runners = [Hosted(store.hosting, Claims(redis, f"r{n}"), SERVER, capacity=2) for n in range(2)]
    played = [guest.agent for runner in runners for guest in await runner.guests()]
    assert len(set(played)) == len(played) == 4


async def test_a_key_serves_for_half_its_life_and_ends_with_the_process(
    store: Store, redis: Redis
) -> None:
    ember = await made(store, "Ember")
    now_ms = unix_ms()
    hosted = Hosted(store.hosting, Claims(redis, "one"), SERVER, capacity=2, clock=lambda: now_ms)
    first = await hosted.key(ember.agent)
    assert await hosted.key(ember.agent) == first
    by_first = await store.agents.by_key(first)
    assert by_first is not None
    assert by_first.runner
    now_ms += HOST_KEY_MS // 2
    second = await hosted.key(ember.agent)
    assert second != first
    assert await store.agents.by_key(first) is None
    hosted.refused(ember.agent)
    third = await hosted.key(ember.agent)
    assert third != second
    await hosted.close()
    assert await store.agents.by_key(third) is None


async def test_a_version_is_played_as_its_spec_says(store: Store, redis: Redis) -> None:
    hosted = Hosted(store.hosting, Claims(redis, "one"), SERVER, capacity=2)
    spec = '{"prompt":"Be calm.","prompts":{"rap-battle":"Rhyme."},"temperature":0.5}'
    ember, _ = await store.agents.make(Draft(name="Ember", kind="hosted", specs=(spec,)))
    part = await hosted.part(ember.version, "rap-battle")
    assert part.brain == "llm"
    assert part.settings == {
        "url": SERVER.url,
        "model": "tiny",
        "api_key": "secret",
        "system": "Rhyme.",
        "temperature": 0.5,
    }
    assert (await hosted.part(ember.version, "writing")).settings["system"] == "Be calm."
    with pytest.raises(UnknownVersion):
        await hosted.part("nobody@v1", "writing")


def test_a_spec_that_says_nothing_leaves_all_to_the_arena() -> None:
    part = part_of(VersionSpec(), "logic", SERVER)
    assert part.settings == {"url": SERVER.url, "model": "tiny", "api_key": "secret"}
    assert part_of(VersionSpec(model="big"), "logic", SERVER).settings["model"] == "big"
    assert part_of(VersionSpec(brain="bidder", prompt="x"), "bid-tac-toe", SERVER).settings == {}


async def test_nobody_is_queued_where_its_spec_does_not_play(store: Store) -> None:
    spec = '{"spaces":["rap-battle"]}'
    ember, _ = await store.agents.make(Draft(name="Ember", specs=(spec,)))
    with pytest.raises(NotPlaying, match="plays rap-battle, not bid-tac-toe"):
        await store.entries.hold(ticket_of(ember))
    assert await store.entries.of_agent(ember.agent) == []
