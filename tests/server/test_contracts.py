"""Where an arena finds its contracts, and what it says when it does not; whose the house's deposits are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from redis.asyncio import Redis

from chain.client.deployment import Deployed, DeploymentFailed, Manifest
from server.api.app import create_app
from server.config import Config, ConfigError
from server.embedded import deployment
from server.embedded.data_dir import DataDir
from server.identity import HOUSE_OWNER
from server.settlement import contracts, key_file
from server.settlement.contracts import Contracts
from server.store import Store
from server.store.accounts import WalletBound, WalletTaken
from tests.server.escrow_story import wallet

ELSEWHERE = {"settlement": "chain", "rpc_url": "http://127.0.0.1:9"}


async def test_on_a_chain_of_others_manifest_and_key_are_named(tmp_path: Path) -> None:
    with DataDir(tmp_path) as data:
        with pytest.raises(ConfigError, match=r"chain_manifest: .*agon chain deploy"):
            await contracts.find(Config(**cast(Any, ELSEWHERE)), data)
        named = Config(**cast(Any, ELSEWHERE), chain_manifest=str(tmp_path / "none.json"))
        with pytest.raises(ConfigError, match=r"there is no .*none.json"):
            await contracts.find(named, data)
        with pytest.raises(ConfigError, match=r"settler_key_file: .*agon chain key"):
            contracts.settler_key(named, data)


def test_a_manifest_of_another_chain_is_refused() -> None:
    manifest = Manifest("agon-deployment/1", 1, "0x00", wallet(1), {})
    with pytest.raises(DeploymentFailed, match="of chain 1, and chain_id is 31337"):
        Contracts("http://127.0.0.1:9", 31_337, manifest)


async def test_play_acted_money_is_never_mixed_with_an_escrows(
    store: Store, tmp_path: Path
) -> None:
    owner = await store.accounts.with_wallet(wallet(1))
    crossing = await store.crossings.begin("01A", owner.account, "deposit", 5, wallet(1))
    await store.crossings.confirm(crossing.id, f"simulated:{crossing.id}")
    with (
        DataDir(tmp_path) as data,
        pytest.raises(ConfigError, match="begins with a new database"),
    ):
        await contracts.check_books(Config(**cast(Any, ELSEWHERE)), data, store)


async def test_the_house_has_the_wallet_that_its_operator_names(
    store: Store, tmp_path: Path
) -> None:
    with DataDir(tmp_path) as data:
        named = Config(**cast(Any, ELSEWHERE), house_wallet=wallet(7).lower())
        for _ in range(2):
            await contracts.check_books(named, data, store)
        house = await store.accounts.of_wallet(wallet(7))
        assert house is not None
        assert house.account == HOUSE_OWNER
        other = Config(**cast(Any, ELSEWHERE), house_wallet=wallet(8))
        with pytest.raises(ConfigError, match="house_wallet: the house has the wallet"):
            await contracts.check_books(other, data, store)


async def test_nobody_else_gives_the_house_a_wallet_or_shares_it(store: Store) -> None:
    await store.accounts.with_wallet(wallet(1))
    with pytest.raises(WalletTaken):
        await store.accounts.bind_house(wallet(1))
    with pytest.raises(WalletBound):
        await store.accounts.bind(HOUSE_OWNER, wallet(2))


async def test_a_house_of_its_own_chain_has_the_key_that_was_made_there(
    store: Store, tmp_path: Path
) -> None:
    with DataDir(tmp_path) as data:
        data.folder("chain")
        made = key_file.ensure(data.file(deployment.HOUSE_KEY))
        assert contracts.house_wallet(Config(), data) == made.address
        assert contracts.house_wallet(Config(**cast(Any, ELSEWHERE)), data) is None


@pytest.mark.parametrize("path", ["/v1/deposits", "/v1/withdrawals"])
async def test_on_a_chain_money_is_moved_by_its_wallet_alone(
    store: Store, redis: Redis, path: str
) -> None:
    owner = await store.accounts.with_wallet(wallet(1))
    token, _ = await store.logins.begin(owner.account, 60_000)
    async with _client(store, redis, Config(settlement="chain"), None) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        answer = await client.post(path, json={"micros": 5})
    assert answer.status_code == 409
    assert answer.json()["code"] == "on-chain"
    assert "agon wallet" in answer.json()["detail"]
    assert await store.crossings.of_account(owner.account) == []


async def test_the_api_says_where_the_money_is_and_never_by_which_node(
    store: Store, redis: Redis
) -> None:
    stands = Deployed("escrow", "", "", wallet(9), 0, "0x", "0x", 7, "0x")
    manifest = Manifest("agon-deployment/1", 31_337, "0x00", wallet(1), {"escrow": stands})
    found = Contracts("http://secret@127.0.0.1:9", 31_337, manifest)
    found._fixed["USDC"] = wallet(5)
    async with _client(store, redis, Config(settlement="chain"), found) as client:
        answer = (await client.get("/v1/chain")).json()
    assert answer["escrow"] == wallet(9)
    assert answer["usdc"] == wallet(5)
    assert answer["first_block"] == 7
    assert "secret" not in str(answer)
    async with _client(store, redis, Config(), None) as client:
        answer = (await client.get("/v1/chain")).json()
    assert answer["settlement"] == "simulated"
    assert answer["escrow"] is None
    await found.close()


def _client(
    store: Store, redis: Redis, config: Config, found: Contracts | None
) -> httpx.AsyncClient:
    app = create_app(
        config=config, store=store, redis=redis, gateway_address=lambda: "", contracts=found
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://arena")
