"""The wake-up that cannot be lost, and that no crowd of other work stands before."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from server.jobs import sweeper as sweeping
from server.jobs.sweeper import Sweeper
from server.jobs.wake import connect
from server.store import Store
from tests.server.aftermath_session import Seats

NOW = 10**13


async def sealed(store: Store, seats: Seats, *steps: str) -> None:
    record = seats.record("rap-battle")
    await store.sessions.form(record)
    await store.sessions.seal(
        session=record.session,
        status="ended",
        outcome={"termination": "complete", "returns": None},
        document=b"{}",
        digest="d" * 64,
        steps=steps,
        now_ms=0,
    )


async def test_a_crowd_of_judgings_does_not_stand_before_a_settlement(
    store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "LIMIT", 3)
    seats = await Seats.registered(store)
    for _ in range(8):
        await sealed(store, seats, "judge", "settle")
    await sealed(store, seats, "settle")
    arq = connect(redis, 2)
    sweeper = Sweeper(
        store=store,
        arq=arq,
        queues={"judge": "jobs:judge", "settle": "jobs:settle"},
        clock=lambda: NOW,
    )
    try:
        assert await sweeper.sweep() == 4
        assert await redis.zcard("jobs:judge") == 3
        assert await redis.zcard("jobs:settle") == 1
        assert await sweeper.sweep() == 0, "what was woken a moment ago is not woken again"
    finally:
        await arq.aclose(close_connection_pool=True)


async def test_short_steps_are_woken_many_at_once_and_judgings_one_by_one(
    store: Store, redis: Redis
) -> None:
    seats = await Seats.registered(store)
    for _ in range(5):
        await sealed(store, seats, "settle", "rate")
    await sealed(store, seats, "judge")
    arq = connect(redis, 2)
    sweeper = Sweeper(
        store=store,
        arq=arq,
        queues={"judge": "jobs:judge", "settle": "jobs:settle"},
        clock=lambda: NOW,
        together={"jobs:settle": 4},
    )
    try:
        assert await sweeper.sweep() == 6
        assert await redis.zcard("jobs:judge") == 1
        assert await redis.zcard("jobs:settle") == 2, "four rows, and one"
        assert await sweeper.sweep() == 0
    finally:
        await arq.aclose(close_connection_pool=True)
