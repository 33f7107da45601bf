from __future__ import annotations

import asyncio

import pytest

from server.store import Store
from server.store.accounts import UnknownAccount, WalletBound, WalletTaken

WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
OTHER = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"


async def test_a_wallet_has_one_account_however_often_it_signs_in_at_once(store: Store) -> None:
    found = await asyncio.gather(*(store.accounts.with_wallet(WALLET) for _ in range(8)))
    assert len({account.account for account in found}) == 1
    assert found[0].wallet == WALLET
    assert await store.accounts.get(found[0].account) == found[0]
    assert (await store.accounts.with_wallet(OTHER)).account != found[0].account


async def test_an_account_made_by_an_agent_gets_one_wallet_and_keeps_it(store: Store) -> None:
    ember, _ = await store.agents.register("Ember")
    bound = await store.accounts.bind(ember.owner, WALLET)
    assert bound == await store.accounts.bind(ember.owner, WALLET)
    assert (await store.accounts.with_wallet(WALLET)).account == ember.owner
    with pytest.raises(WalletBound):
        await store.accounts.bind(ember.owner, OTHER)
    with pytest.raises(UnknownAccount):
        await store.accounts.bind("nobody", OTHER)


async def test_two_accounts_never_share_a_wallet_and_are_never_merged(store: Store) -> None:
    ember, _ = await store.agents.register("Ember")
    frost, _ = await store.agents.register("Frost")
    results = await asyncio.gather(
        store.accounts.bind(ember.owner, WALLET),
        store.accounts.bind(frost.owner, WALLET),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["Account", "WalletTaken"]
    loser = frost.owner if isinstance(results[1], WalletTaken) else ember.owner
    with pytest.raises(WalletTaken):
        await store.accounts.bind(loser, WALLET)
    found = await store.accounts.get(loser)
    assert found is not None
    assert found.wallet is None


async def test_roles_are_granted_and_withdrawn(store: Store) -> None:
    account = (await store.accounts.with_wallet(WALLET)).account
    assert await store.accounts.grant(account, "judge")
    assert not await store.accounts.grant(account, "judge")
    assert await store.accounts.grant(account, "admin")
    assert await store.accounts.roles(account) == {"judge", "admin"}
    assert await store.accounts.withdraw(account, "judge")
    assert not await store.accounts.withdraw(account, "judge")
    assert await store.accounts.roles(account) == {"admin"}
    with pytest.raises(UnknownAccount):
        await store.accounts.grant("nobody", "admin")


async def test_keys_are_listed_without_what_opens(store: Store) -> None:
    ember, first = await store.agents.register("Ember")
    of_account, clear = await store.keys.issue(ember.owner, ["manage", "read"], "laptop")
    playing, played = await store.keys.issue(ember.owner, ["play"], "bot", agent=ember.agent)
    assert await store.keys.of_account(ember.owner) == [of_account]
    assert [key.label for key in await store.keys.of_agent(ember.owner, ember.agent)] == [
        "play",
        "bot",
    ]
    assert of_account.scopes == ["manage", "read"]
    assert await store.agents.by_key(played) == ember
    assert await store.agents.by_key(clear) is None, "a key of an account is no agent"
    assert await store.keys.revoke(playing.id, account=ember.owner, agent=ember.agent)
    assert await store.agents.by_key(played) is None
    assert await store.agents.by_key(first) == ember
    assert not await store.keys.revoke(of_account.id, account=ember.owner, agent=ember.agent)
