"""What an account may have so many of: the last one is had once, whoever asks for it at the same moment.

Two stores on one database, as two processes have them; on PostgreSQL their transactions do run side by side.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import func, select

from server.ledger import names
from server.store import Store, merit, open_store, shares
from server.store.crossings import MAX_PENDING, TooManyPending
from server.store.keys import MAX_KEYS, TooManyKeys
from server.store.shares import TooManyLinks
from tests.server.money_world import deposit

WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
AT_ONCE = 16


@pytest.fixture
async def stores(store: Store, store_url: str) -> AsyncIterator[tuple[Store, Store]]:
    second = await open_store(store_url)
    yield store, second
    await second.close()


@pytest.fixture
async def account(store: Store) -> str:
    return (await store.accounts.with_wallet(WALLET)).account


async def race(
    stores: tuple[Store, Store], ask: Callable[[Store, int], Awaitable[object]]
) -> list[object]:
    """What becomes of AT_ONCE requests at once, half of them in each process."""
    asked = (ask(stores[number % 2], number) for number in range(AT_ONCE))
    return await asyncio.gather(*asked, return_exceptions=True)


def refused(outcomes: list[object], error: type[Exception]) -> int:
    """How many were refused so; nothing else went wrong."""
    failures = [each for each in outcomes if isinstance(each, BaseException)]
    assert {type(each) for each in failures} <= {error}
    return len(failures)


@pytest.mark.parametrize("of_agent", [False, True])
async def test_keys(stores: tuple[Store, Store], account: str, of_agent: bool) -> None:
    store, _ = stores
    identity, _ = await store.agents.register("Ember", account)
    agent = identity.agent if of_agent else None
    scopes = ["play"] if of_agent else ["read"]
    room, there = 3, 1 if of_agent else 0  # an agent comes with a key
    for number in range(MAX_KEYS - there - room):
        await store.keys.issue(account, scopes, f"k{number}", agent=agent)
    outcomes = await race(
        stores, lambda each, number: each.keys.issue(account, scopes, "last", agent=agent)
    )
    assert refused(outcomes, TooManyKeys) == AT_ONCE - room
    listed = await (
        store.keys.of_agent(account, agent) if agent else store.keys.of_account(account)
    )
    assert len(listed) == MAX_KEYS


async def test_deposits_and_withdrawals_under_way(
    stores: tuple[Store, Store], account: str
) -> None:
    store, _ = stores
    await store.ledger.require([deposit(names.owner("usdc", account), 10_000_000)])
    room = 2
    for number in range(MAX_PENDING - room):
        await store.crossings.begin(f"w{number}", account, "withdrawal", 1, WALLET)
    outcomes = await race(
        stores,
        lambda each, number: each.crossings.begin(f"x{number}", account, "withdrawal", 1, WALLET),
    )
    assert refused(outcomes, TooManyPending) == AT_ONCE - room
    assert len(await store.crossings.of_account(account, limit=99)) == MAX_PENDING
    again = await store.crossings.begin("w0", account, "withdrawal", 1, WALLET)
    assert again.state == "pending", "one that is there is no further one"
    assert await store.ledger.audit() == []


async def test_share_links(
    stores: tuple[Store, Store], account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = stores
    monkeypatch.setattr(shares, "LINKS", 5)
    outcomes = await race(stores, lambda each, number: each.shares.make(account, f"agent:{number}"))
    assert refused(outcomes, TooManyLinks) == AT_ONCE - 5
    assert len(await store.shares.of_account(account, limit=99)) == 5


async def test_views_of_a_link(
    stores: tuple[Store, Store], account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = stores
    monkeypatch.setattr(shares, "VIEWS_KEPT_A_DAY", 5)
    link = await store.shares.make(account, "session:s")
    outcomes = await race(
        stores, lambda each, number: each.shares.verified(link, f"viewer-{number}", 1)
    )
    assert refused(outcomes, AssertionError) == 0
    assert outcomes.count(True) == 5
    async with store.database.reading() as tx:
        assert await tx.scalar(select(func.count()).select_from(merit.share_view)) == 5
