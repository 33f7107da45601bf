"""A key that is revoked ends what plays with it."""

from __future__ import annotations

import asyncio
import time

from redis.asyncio import Redis

from server.clock import unix_ms
from server.gateway.chores import LOOK_BACK_MS, REVOKED_S
from server.protocol import CloseCode, Goodbye, Ping, Pong
from server.store import Store
from tests.server.gateway_arena import Client, arena_of


async def alive(client: Client) -> None:
    await client.send(Ping(7))
    await client.expect(Pong)


async def test_a_revoked_key_ends_its_connections_within_seconds(redis: Redis) -> None:
    async with arena_of(redis) as arena:
        for name in ("ember", "frost"):
            arena.agent(name)
        async with (
            arena.client("ember") as one,
            arena.client("ember") as two,
            arena.client("frost") as other,
            arena.client() as spectator,
        ):
            # As another process's clock stamps it, which is behind ours.
            arena.revoke("ember", at_ms=unix_ms() - LOOK_BACK_MS + 5_000)
            started = time.monotonic()
            for client in (one, two):
                assert await client.closed() == CloseCode.UNAUTHORIZED
                [goodbye] = [said for said in client.seen if isinstance(said, Goodbye)]
                assert goodbye.reason == "the key was revoked"
            assert time.monotonic() - started < 2 * REVOKED_S
            for client in (other, spectator):
                await alive(client)


async def test_a_revocation_is_found_after_the_database_was_away(redis: Redis) -> None:
    async with arena_of(redis) as arena:
        arena.agent("ember")
        async with arena.client("ember") as client:
            arena.identify_fails = True
            arena.revoke("ember")
            await asyncio.sleep(1.5 * REVOKED_S)
            await alive(client)
            arena.identify_fails = False
            assert await client.closed() == CloseCode.UNAUTHORIZED


async def test_the_store_names_what_was_revoked_since(store: Store) -> None:
    ember, first = await store.agents.register("Ember")
    before_ms = unix_ms()
    assert await store.keys.revoked_since(0) == frozenset()
    [key] = await store.keys.of_agent(ember.owner, ember.agent)
    assert await store.keys.revoke(key.id, account=ember.owner, agent=ember.agent)
    assert len(await store.keys.revoked_since(before_ms)) == 1
    assert await store.keys.revoked_since(unix_ms() + 1) == frozenset()
    assert await store.agents.by_key(first) is None
