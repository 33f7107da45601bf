from __future__ import annotations

import asyncio
import random

import pytest
from sqlalchemy.exc import SQLAlchemyError

from server.store import Store, open_store, schema
from server.store.engine import open_database


async def test_writers_of_two_processes_wait_for_each_other(store: Store, store_url: str) -> None:
    other = await open_store(store_url)
    await asyncio.gather(
        *(store.agents.register(f"one {n}", owner="house") for n in range(25)),
        *(other.agents.register(f"two {n}", owner="house") for n in range(25)),
    )
    for name in ("one 0", "one 24", "two 0", "two 24"):
        assert await store.agents.named("house", name) is not None
    await other.close()


async def test_a_cancelled_transaction_leaves_neither_a_trace_nor_a_lock(store: Store) -> None:
    rng = random.Random(7)
    for n in range(40):
        task = asyncio.create_task(store.agents.register(f"agent {n}", owner="house"))
        await asyncio.sleep(rng.uniform(0, 0.004))
        task.cancel()
        cancelled = isinstance(
            (await asyncio.gather(task, return_exceptions=True))[0], BaseException
        )
        named = await store.agents.named("house", f"agent {n}")
        if named is not None:
            # Committed before the cancellation arrived: then all of it is there.
            assert await store.agents.issue_key(named.agent)
        else:
            assert cancelled
    async with asyncio.timeout(5):
        await store.agents.register("the last one", owner="house")


async def test_a_reader_does_not_wait_for_the_writer(store: Store, store_url: str) -> None:
    database = open_database(store_url)
    async with database.writing() as tx:
        await tx.execute(schema.account.insert().values(id="house", created_ms=1))
        assert await store.agents.named("house", "Ember") is None
    await database.close()


async def test_who_is_cancelled_is_cancelled_and_not_told_of_an_error(store: Store) -> None:
    """Or what repeats after every error could never be stopped."""

    async def for_ever() -> None:
        while True:
            await store.outbox.due(0, 10)

    rng = random.Random(11)
    for _ in range(200):
        task = asyncio.create_task(for_ever())
        await asyncio.sleep(rng.uniform(0, 0.006))
        task.cancel()
        await asyncio.wait({task}, timeout=5)
        assert task.done()
        assert task.cancelled(), task.exception()


async def test_the_error_of_a_statement_does_not_say_what_was_to_be_written(store: Store) -> None:
    """It is logged, and prompts, seeds and hashes of keys are written."""
    row = {"id": "v", "agent": "nobody", "number": 1, "created_ms": 1}
    adding = schema.agent_version.insert().values(row | {"spec": '{"prompt":"my secret"}'})

    async def add() -> None:
        async with store.database.writing() as tx:
            await tx.execute(adding)

    with pytest.raises(SQLAlchemyError) as failed:
        await add()
    assert "my secret" not in f"{failed.value} {failed.value!r}"
