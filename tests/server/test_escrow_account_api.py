"""What the escrow has of an owner, over HTTP: what can be played for, what is on its way, and what is to be done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import update

from server.config import Config
from server.identity import Identity
from server.ledger import names
from server.store import Store, open_store
from server.store.escrow import escrow_debt, escrow_owner
from tests.server.escrow_books import FOREVER_S, PLENTY, Books, wallet_of
from tests.server.money_world import TIER, deposit
from tests.server.test_api import client_of

CHAIN = Config(settlement="chain", tiers_open=(TIER,), epoch_every_s=600)


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    opened = await open_store(store_url, escrowed=True)
    yield opened
    await opened.close()


@pytest.fixture
def books(store: Store) -> Books:
    return Books(store)


async def seen(store: Store, redis: Redis, who: Identity, config: Config = CHAIN) -> dict[str, Any]:
    token, _ = await store.logins.begin(who.owner, 86_400_000)
    async with client_of(store, redis, config=config) as api:
        answer = await api.get("/v1/me/escrow", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_what_can_be_played_for_and_what_waits(
    store: Store, redis: Redis, books: Books
) -> None:
    ann, ben = await books.owner("Ann", 10 * TIER), await books.owner("Ben", 10 * TIER)
    await books.queue(ann)
    await books.open(await books.match(ann, ben))
    view = await seen(store, redis, ann)
    assert view == {
        "settlement": "chain",
        "wallet": wallet_of(1),
        "balance_micros": 9 * TIER,
        "entries_micros": TIER,
        "awaiting_micros": 0,
        "leaving_micros": 0,
        "debt_micros": 0,
        "claimed_micros": 0,
        "today_micros": TIER,
        "limits": {
            "max_entry_micros": PLENTY,
            "daily_cap_micros": PLENTY,
            "expires_s": FOREVER_S,
        },
        "epoch_every_s": 600,
        "refused": None,
        "reason": "",
    }


async def test_what_was_won_waits_for_the_next_epoch(
    store: Store, redis: Redis, books: Books
) -> None:
    ann, ben = await books.owner("Ann", TIER), await books.owner("Ben", TIER)
    await books.open(await books.match(ann, ben))
    won = deposit(names.agent("usdc", ann.agent), 2 * TIER)  # as the pay-out's lines would
    await store.ledger.require([won])
    view = await seen(store, redis, ann)
    assert (view["balance_micros"], view["awaiting_micros"]) == (0, 2 * TIER)
    assert view["refused"] == "awaiting-claim"
    assert "with the next epoch" in view["reason"]
    lost = await seen(store, redis, ben)
    assert (lost["awaiting_micros"], lost["refused"]) == (0, "not-deposited")
    assert "agon wallet deposit" in lost["reason"]


async def test_a_wanted_session_is_no_winning(store: Store, redis: Redis, books: Books) -> None:
    ann, ben = await books.owner("Ann", 3 * TIER), await books.owner("Ben", 3 * TIER)
    await books.match(ann, ben)
    view = await seen(store, redis, ann)
    assert (view["balance_micros"], view["entries_micros"]) == (3 * TIER, TIER)
    assert view["awaiting_micros"] == 0


async def test_what_is_leaving_and_what_is_owed_is_told(
    store: Store, redis: Redis, books: Books
) -> None:
    ann = await books.owner("Ann", 10 * TIER)
    async with store.database.writing() as tx:
        leaving = {"leaving_micros": 4 * TIER, "balance_micros": 6 * TIER, "claimed_micros": 7}
        await tx.execute(
            update(escrow_owner).where(escrow_owner.c.wallet == wallet_of(1)).values(**leaving)
        )
        owed = {"id": "withdrawal:1", "account": ann.owner, "code": "withdrawal", "made_ms": 0}
        amounts = {"micros": 4 * TIER, "reserved_micros": TIER, "state": "open"}
        await tx.execute(escrow_debt.insert().values(**owed, **amounts))
    view = await seen(store, redis, ann)
    assert (view["leaving_micros"], view["debt_micros"]) == (4 * TIER, 3 * TIER)
    assert view["claimed_micros"] == 7


@pytest.mark.parametrize(
    ("limits", "code", "command"),
    [
        (None, "limits-missing", "agon wallet limits"),
        ({"entry": TIER - 1}, "limit-entry", "agon wallet limits"),
        ({"expires_s": 1}, "limit-expired", "agon wallet limits"),
    ],
)
async def test_what_keeps_an_entry_out_is_said_with_the_command_that_changes_it(
    store: Store,
    redis: Redis,
    books: Books,
    limits: dict[str, int] | None,
    code: str,
    command: str,
) -> None:
    ann = await books.owner("Ann", limits=False)
    if limits is not None:
        await books.limits(wallet_of(1), **limits)
    view = await seen(store, redis, ann)
    assert view["refused"] == code
    assert command in view["reason"]
    assert (view["limits"] is None) == (limits is None)


async def test_who_has_no_wallet_is_told_to_sign_in_with_one(store: Store, redis: Redis) -> None:
    agent, _ = await store.agents.register("Nobody")
    view = await seen(store, redis, agent)
    assert (view["wallet"], view["refused"]) == (None, "no-wallet")


async def test_where_nothing_is_on_a_chain_nothing_is_said_of_one(
    store: Store, redis: Redis, books: Books
) -> None:
    view = await seen(store, redis, await books.owner("Ann"), Config())
    assert (view["settlement"], view["wallet"], view["refused"]) == ("simulated", None, None)


async def test_it_is_the_owner_s_alone(store: Store, redis: Redis) -> None:
    async with client_of(store, redis, config=CHAIN) as api:
        answer: httpx.Response = await api.get("/v1/me/escrow")
    assert answer.status_code == 401
