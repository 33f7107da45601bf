"""The rows of our keys' nonces and of what has been read of a chain, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chain.client.fees import Fees
from chain.client.index import KEPT_BLOCKS, PAGE, Batch, Position
from chain.client.node import Log
from chain.client.nonces import Attempt, Call, Mined, State, Tx
from server.store import Store, open_store
from server.store.chain_logs import ChainLogs
from server.store.schema import account

CHAIN = 31_337
SENDER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
OTHER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
CALL = Call(OTHER, b"\x01\x02", 50_000, 2**200)
FEES = Fees(2**70, 3)


async def reserve(store: Store, action: str, used: int = 0, sender: str = SENDER) -> Tx:
    return await store.chain_txs.reserve(CHAIN, sender, action, CALL, used, 5)


def attempt(number: int) -> Attempt:
    return Attempt(f"0x{number:064x}", b"raw", FEES, 7)


def mined(number: int = 9) -> Mined:
    return Mined(f"0x{1:064x}", number, "0xb10c", True, 21_000, 2**90)


async def test_an_action_has_one_nonce_for_ever(store: Store) -> None:
    first = await reserve(store, "epoch:1", used=4)
    assert (first.nonce, first.state, first.call) == (4, State.RESERVED, CALL)
    assert await reserve(store, "epoch:1", used=9) == first
    assert (await reserve(store, "epoch:2", used=0)).nonce == 5
    assert (await reserve(store, "epoch:3", used=9)).nonce == 9, "the key was used elsewhere"
    assert (await reserve(store, "other", used=0, sender=OTHER)).nonce == 0
    assert await store.chain_txs.find(CHAIN, "epoch:1") == first
    assert await store.chain_txs.find(CHAIN + 1, "epoch:1") is None


async def test_nonces_that_are_asked_for_at_once_are_different(
    store: Store, store_url: str
) -> None:
    second = await open_store(store_url)
    try:
        rows = await asyncio.gather(
            *(reserve((store, second)[n % 2], f"epoch:{n // 2}") for n in range(20))
        )
        assert {row.nonce for row in rows} == set(range(10))
        assert {row.action: row.nonce for row in rows[::2]} == {
            row.action: row.nonce for row in rows[1::2]
        }
    finally:
        await second.close()


async def test_a_row_goes_through_its_life(store: Store) -> None:
    txs = store.chain_txs
    row = await reserve(store, "epoch:1")
    signed = await txs.signed(row, attempt(1))
    assert signed is not None
    assert (signed.state, signed.attempts) == (State.SIGNED, (attempt(1),))
    assert await txs.signed(row, attempt(2)) is None, "another writer was faster"
    again = await txs.signed(signed, attempt(2))
    assert again is not None
    sent = await txs.become(again, State.SENT, None)
    assert sent is not None
    assert await txs.open(CHAIN, SENDER, 10) == [sent]
    over = await txs.become(sent, State.FINAL, mined())
    assert over is not None
    assert over.done
    assert over.attempts == (attempt(1), attempt(2))
    assert await txs.open(CHAIN, SENDER, 10) == []
    assert await txs.become(sent, State.SENT, None) is None
    assert await txs.find(CHAIN, "epoch:1") == over


async def test_what_was_over_is_reopened_where_its_nonce_is_free_again(store: Store) -> None:
    txs = store.chain_txs
    for nonce, state in enumerate((State.FINAL, State.FINAL, State.REPLACED)):
        row = await reserve(store, f"epoch:{nonce}")
        await txs.become(row, state, mined() if state is State.FINAL else None)
    assert await txs.reopen(CHAIN, SENDER, 3) == 0
    assert await txs.reopen(CHAIN, SENDER, 1) == 2
    rows = await txs.open(CHAIN, SENDER, 10)
    assert [(row.nonce, row.state, row.mined, row.cancelling) for row in rows] == [
        (1, State.SENT, None, False),
        (2, State.SENT, None, True),
    ]
    assert await txs.reopen(CHAIN, SENDER, 1) == 0


async def test_a_gap_is_filled_once(store: Store) -> None:
    txs = store.chain_txs
    taken = await reserve(store, "epoch:1", used=3)
    for _ in range(2):
        await txs.fill(CHAIN, SENDER, 2, "gap:2", CALL, 9)
        await txs.fill(CHAIN, SENDER, 3, "gap:3", CALL, 9)
    assert [(row.nonce, row.action) for row in await txs.open(CHAIN, SENDER, 9)] == [
        (2, "gap:2"),
        (3, taken.action),
    ]
    assert (await reserve(store, "epoch:2")).nonce == 4


async def test_only_what_is_open_is_given_up(store: Store) -> None:
    txs = store.chain_txs
    row = await reserve(store, "epoch:1")
    given_up = await txs.cancel(CHAIN, "epoch:1")
    assert given_up is not None
    assert given_up.cancelling
    assert await txs.signed(row, attempt(1)) is None, "it was read before"
    over = await txs.become(given_up, State.DROPPED, mined())
    assert await txs.cancel(CHAIN, "epoch:1") == over
    assert await txs.cancel(CHAIN, "unknown") is None


def log(number: int, index: int = 0, fork: str = "a") -> Log:
    return Log(OTHER, ("0x01", "0x02"), b"data", number, f"0x{fork}{number}", index, "0xtx", 0)


def at(number: int, fork: str = "a") -> Position:
    return Position(number, f"0x{fork}{number}")


async def test_logs_are_kept_once_with_where_they_end(store: Store) -> None:
    logs = ChainLogs(store.database)
    assert await logs.positions("r") == []
    batch = Batch(None, at(10), (log(3), log(3, 1), log(7)))
    assert await logs.take("r", batch)
    assert not await logs.take("r", batch), "another process has read it"
    assert await logs.take("r", Batch(at(10), at(12), (log(11),)))
    assert await logs.positions("r") == [at(12), at(10)]
    assert await logs.logs("r") == [log(3), log(3, 1), log(7), log(11)]
    assert await logs.logs("r", after=7) == [log(11)]
    assert await logs.logs("another") == []


async def test_a_roll_back_forgets_what_came_after(store: Store) -> None:
    logs = ChainLogs(store.database)
    await logs.take("r", Batch(None, at(10), (log(3),)))
    await logs.take("r", Batch(at(10), at(12), (log(11),)))
    for _ in range(2):
        await logs.roll_back("r", at(10))
        assert await logs.positions("r") == [at(10)]
        assert await logs.logs("r") == [log(3)]
    assert await logs.take("r", Batch(at(10), at(12, "b"), (log(11, fork="b"),)))
    await logs.roll_back("r", None)
    assert await logs.positions("r") == []
    assert await logs.logs("r") == []


async def test_old_positions_are_forgotten(store: Store) -> None:
    logs = ChainLogs(store.database)
    before = None
    numbers = [*range(PAGE + 10), KEPT_BLOCKS + 4]
    for number in numbers:
        await logs.take("r", Batch(before, at(number), ()))
        before = at(number)
    newest = await logs.positions("r")
    older = await logs.positions("r", below=newest[-1].number)
    assert len(newest) == PAGE
    assert newest + older == [at(number) for number in reversed(numbers[4:])]
    assert await logs.positions("r", below=4) == []


class Accounts:
    """A follower that writes what it is told as rows of another table, and may fail."""

    def __init__(self) -> None:
        self.fails = False

    async def follow(self, tx: AsyncConnection, logs: Sequence[Log]) -> None:
        await tx.execute(
            insert(account), [{"id": each.block_hash, "created_ms": 0} for each in logs]
        )
        if self.fails:
            raise RuntimeError("not now")

    async def undo(self, tx: AsyncConnection, logs: Sequence[Log]) -> None:
        await tx.execute(
            account.delete().where(account.c.id.in_([each.block_hash for each in logs]))
        )


async def test_what_follows_from_logs_is_written_with_them_or_not_at_all(store: Store) -> None:
    follower = Accounts()
    logs = ChainLogs(store.database, follower)

    async def followed() -> list[str]:
        async with store.database.reading() as tx:
            return list(await tx.scalars(select(account.c.id).order_by(account.c.id)))

    await logs.take("r", Batch(None, at(2), (log(1),)))
    follower.fails = True
    with pytest.raises(RuntimeError):
        await logs.take("r", Batch(at(2), at(4), (log(3),)))
    assert (await followed(), await logs.positions("r")) == (["0xa1"], [at(2)])
    follower.fails = False
    assert await logs.take("r", Batch(at(2), at(4), (log(3),)))
    assert await followed() == ["0xa1", "0xa3"]
    await logs.roll_back("r", at(2))
    assert await followed() == ["0xa1"]
