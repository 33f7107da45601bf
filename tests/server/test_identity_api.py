"""Signing in, logins and keys over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from server.clock import unix_ms
from server.config import Config
from server.identity import HOUSE_OWNER
from server.live.nonces import Nonces
from server.store import Store, open_store
from tests.server.test_api import client_of, problem
from tests.server.wallet import ORDER, Wallet, chain_node, message_for, sign_in, signed_in

CONFIG = Config(signin_domains=("arena",))
DAY_MS = 86_400_000


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_ms = unix_ms()

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(store_url: str, clock: Clock) -> AsyncIterator[Store]:
    opened = await open_store(store_url, clock)
    yield opened
    await opened.close()


@pytest.fixture
async def api(store: Store, redis: Redis, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, redis, config=CONFIG, clock=clock) as client:
        yield client


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


# --------------------------------------------------------------------------- signing in


async def test_a_wallet_signs_in_and_gets_an_account(api: httpx.AsyncClient, clock: Clock) -> None:
    wallet = Wallet()
    answer = await sign_in(api, wallet)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    assert made["wallet"] == wallet.address
    assert made["expires_ms"] == clock.now_ms + 7 * DAY_MS
    me = (await api.get("/v1/me", headers=bearer(made["token"]))).json()
    assert me == {
        "account": made["account"],
        "wallet": wallet.address,
        "roles": [],
        "scopes": ["manage", "money", "play", "read"],
        "agent": None,
    }
    assert (await sign_in(api, wallet)).json()["account"] == made["account"]
    assert (await sign_in(api, Wallet(2))).json()["account"] != made["account"]


async def test_a_nonce_says_what_to_sign_and_where(api: httpx.AsyncClient, clock: Clock) -> None:
    answer = (await api.post("/v1/signin/nonce", headers={"Host": "evil.example"})).json()
    assert answer["domain"] == "arena"
    assert answer["uri"] == "http://arena/v1/signin"
    assert answer["chain_id"] == 31_337
    assert answer["expires_ms"] == clock.now_ms + 300_000
    assert answer["nonce"] in answer["message"]
    assert "{wallet}" in answer["message"]


async def test_a_message_is_good_once(api: httpx.AsyncClient) -> None:
    wallet = Wallet()
    message = await message_for(api, wallet.address)
    body = {"message": message, "signature": "0x" + wallet.sign(message).hex()}
    answers = await asyncio.gather(*(api.post("/v1/signin", json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 5
    problem(await api.post("/v1/signin", json=body), 422, "unknown-nonce")


async def test_a_nonce_that_was_not_given_or_is_forgotten_is_refused(
    api: httpx.AsyncClient, redis: Redis
) -> None:
    wallet = Wallet()
    message = await message_for(api, wallet.address)
    nonce = message.partition("Nonce: ")[2].partition("\n")[0]
    assert 290 < await redis.ttl(f"signin:{nonce}") <= 300
    own = message.replace(nonce, "abcdefgh12345678")
    for text in (own, message):
        if text == message:
            await redis.delete(f"signin:{nonce}")
        body = {"message": text, "signature": "0x" + wallet.sign(text).hex()}
        problem(await api.post("/v1/signin", json=body), 422, "unknown-nonce")


async def test_a_forged_signature_buys_nothing_and_costs_the_nonce(
    api: httpx.AsyncClient, redis: Redis
) -> None:
    wallet, thief = Wallet(), Wallet(2)
    forgeries: list[Callable[[str], bytes]] = [
        thief.sign,
        lambda text: wallet.sign(text + " "),
        lambda text: wallet.sign(text)[:64],
        lambda _: bytes(65),
        lambda text: _other_form(wallet.sign(text)),
    ]
    for forge in forgeries:
        message = await message_for(api, wallet.address)
        body = {"message": message, "signature": "0x" + forge(message).hex()}
        problem(await api.post("/v1/signin", json=body), 422, "bad-signature")
        body["signature"] = "0x" + wallet.sign(message).hex()
        problem(await api.post("/v1/signin", json=body), 422, "unknown-nonce")


def _other_form(signature: bytes) -> bytes:
    """The same signature with the upper s, which the curve takes as well."""
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("arena", "evil.example", "wrong-domain"),
        ("Chain ID: 31337", "Chain ID: 1", "wrong-chain"),
        ("Issued At: 20", "Issued At: 19", "stale-message"),
        ("Expiration Time: 20", "Expiration Time: 19", "stale-message"),
        ("Version: 1", "Version: 2", "bad-message"),
        ("\n\nURI", "\n\nRead this\n\nURI", "bad-message"),
    ],
)
async def test_a_message_that_is_not_ours_keeps_its_nonce(
    api: httpx.AsyncClient, redis: Redis, old: str, new: str, code: str
) -> None:
    wallet = Wallet()
    message = await message_for(api, wallet.address)
    text = message.replace(old, new)
    body = {"message": text, "signature": "0x" + wallet.sign(text).hex()}
    problem(await api.post("/v1/signin", json=body), 422, code)
    body = {"message": message, "signature": "0x" + wallet.sign(message).hex()}
    assert (await api.post("/v1/signin", json=body)).status_code == 201


@pytest.mark.parametrize("signature", ["", "0x", "0xabc", "1b", "0x" + "0" * 8_194, "0xzz"])
async def test_a_signature_is_bounded_hex(api: httpx.AsyncClient, signature: str) -> None:
    body = {"message": "x", "signature": signature}
    problem(await api.post("/v1/signin", json=body), 400, "bad-body")


async def test_a_huge_message_is_refused_unread(api: httpx.AsyncClient) -> None:
    body = {"message": "x" * 5_000, "signature": "0x00"}
    problem(await api.post("/v1/signin", json=body), 400, "bad-body")


async def test_a_contract_signs_in_where_the_chain_can_be_asked(
    store: Store, redis: Redis, clock: Clock
) -> None:
    contract = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

    def answer(method: str, params: list[Any]) -> str:
        if method == "eth_chainId":
            return "0x7a69"
        return "0x1626ba7e" + "0" * 56 if params[0]["to"] == contract else "0x"

    async with chain_node(answer) as url:
        config = Config(signin_domains=("arena",), rpc_url=url)
        async with client_of(store, redis, config=config, clock=clock) as api:
            for address, status in ((contract, 201), (Wallet(3).address, 422)):
                message = await message_for(api, address)
                body = {"message": message, "signature": "0xc0ffee"}
                assert (await api.post("/v1/signin", json=body)).status_code == status
    config = Config(signin_domains=("arena",), rpc_url="http://127.0.0.1:9")
    async with client_of(store, redis, config=config, clock=clock) as api:
        body = {"message": await message_for(api, contract), "signature": "0xc0ffee"}
        problem(await api.post("/v1/signin", json=body), 503, "unavailable")


# --------------------------------------------------------------------------- binding a wallet


async def test_an_account_made_by_an_agent_gets_a_wallet(
    api: httpx.AsyncClient, store: Store
) -> None:
    made = (await api.post("/v1/agents", json={"name": "Ember"})).json()
    assert (await api.get("/v1/me", headers=bearer(made["key"]))).json() == {
        "account": made["owner"],
        "wallet": None,
        "roles": [],
        "scopes": ["play"],
        "agent": made["agent"],
    }
    answer = await sign_in(api, Wallet(), owner_key=made["owner_key"])
    assert answer.json()["account"] == made["owner"]
    assert (await sign_in(api, Wallet())).json()["account"] == made["owner"]
    again = await sign_in(api, Wallet(), owner_key=made["owner_key"])
    assert again.json()["account"] == made["owner"]
    problem(await sign_in(api, Wallet(2), owner_key=made["owner_key"]), 409, "wallet-bound")


async def test_accounts_are_never_merged(api: httpx.AsyncClient) -> None:
    await sign_in(api, Wallet())
    made = (await api.post("/v1/agents", json={"name": "Ember"})).json()
    problem(await sign_in(api, Wallet(), owner_key=made["owner_key"]), 409, "wallet-taken")
    assert (await api.get("/v1/me", headers=bearer(made["key"]))).json()["wallet"] is None


async def test_an_agent_s_own_key_binds_no_wallet(api: httpx.AsyncClient, store: Store) -> None:
    """Whoever runs somebody's bot, or has stolen its key, must not get its account by it."""
    made = (await api.post("/v1/agents", json={"name": "Ember"})).json()
    thief = await sign_in(api, Wallet(2), owner_key=made["key"])
    problem(thief, 403, "insufficient-scope")
    assert (await api.get("/v1/me", headers=bearer(made["key"]))).json()["wallet"] is None
    assert (await store.accounts.of_wallet(Wallet(2).address)) is None
    assert (await sign_in(api, Wallet(), owner_key=made["owner_key"])).status_code == 201


async def test_only_a_key_that_manages_binds(api: httpx.AsyncClient, store: Store) -> None:
    headers = await signed_in(api)
    body = {"label": "x", "scopes": ["play", "read", "money"]}
    key = (await api.post("/v1/keys", json=body, headers=headers)).json()["key"]
    problem(await sign_in(api, Wallet(2), owner_key=key), 403, "insufficient-scope")
    for wrong in ("agon_" + "x" * 43, headers["Authorization"][7:]):
        problem(await sign_in(api, Wallet(2), owner_key=wrong), 422, "unknown-owner-key")
    _, house = await store.agents.register("House", HOUSE_OWNER, "hosted")
    problem(await sign_in(api, Wallet(2), owner_key=house), 403, "insufficient-scope")


async def test_the_owner_key_manages_and_can_be_revoked(api: httpx.AsyncClient) -> None:
    made = (await api.post("/v1/agents", json={"name": "Ember"})).json()
    mine = bearer(made["owner_key"])
    me = (await api.get("/v1/me", headers=mine)).json()
    assert (me["account"], me["scopes"], me["agent"]) == (made["owner"], ["manage", "read"], None)
    [key] = (await api.get("/v1/keys", headers=mine)).json()["keys"]
    assert key["label"] == "owner"
    assert (await api.delete(f"/v1/keys/{key['id']}", headers=mine)).status_code == 204
    problem(await sign_in(api, Wallet(), owner_key=made["owner_key"]), 422, "unknown-owner-key")


# --------------------------------------------------------------------------- logins


async def test_signing_out_ends_this_login_alone(api: httpx.AsyncClient) -> None:
    one, other = await signed_in(api), await signed_in(api)
    assert (await api.post("/v1/signout", headers=one)).status_code == 204
    problem(await api.get("/v1/me", headers=one), 401, "unauthorized")
    assert (await api.get("/v1/me", headers=other)).status_code == 200
    problem(await api.post("/v1/signout"), 401, "unauthorized")


async def test_a_login_ends_by_itself(api: httpx.AsyncClient, clock: Clock) -> None:
    headers = await signed_in(api)
    clock.now_ms += 7 * DAY_MS - 1
    assert (await api.get("/v1/me", headers=headers)).status_code == 200
    clock.now_ms += 1
    problem(await api.get("/v1/me", headers=headers), 401, "unauthorized")


async def test_an_account_sees_and_ends_its_logins(api: httpx.AsyncClient, clock: Clock) -> None:
    phone = await signed_in(api)
    clock.now_ms += 1
    laptop = await signed_in(api)
    stranger = await signed_in(api, Wallet(2))
    listed = (await api.get("/v1/logins", headers=laptop)).json()["logins"]
    assert [login["current"] for login in listed] == [True, False]
    where = f"/v1/logins/{listed[1]['login']}"
    problem(await api.delete(where, headers=stranger), 404, "unknown-login")
    assert (await api.delete(where, headers=laptop)).status_code == 204
    problem(await api.delete(where, headers=laptop), 404, "unknown-login")
    problem(await api.get("/v1/me", headers=phone), 401, "unauthorized")
    problem(await api.get("/v1/logins", headers=bearer(listed[0]["login"])), 401, "unauthorized")


# --------------------------------------------------------------------------- keys


async def test_a_key_of_the_account_does_what_it_was_made_for(api: httpx.AsyncClient) -> None:
    headers = await signed_in(api)
    body = {"label": "my\x1b[2J laptop", "scopes": ["read", "play", "read"]}
    made = (await api.post("/v1/keys", json=body, headers=headers)).json()
    assert made["scopes"] == ["play", "read"]
    assert "\x1b" not in made["label"]
    me = (await api.get("/v1/me", headers=bearer(made["key"]))).json()
    assert (me["scopes"], me["agent"]) == (["play", "read"], None)
    problem(await api.get("/v1/keys", headers=bearer(made["key"])), 403, "insufficient-scope")
    [listed] = (await api.get("/v1/keys", headers=headers)).json()["keys"]
    assert listed == {name: made[name] for name in listed}
    assert "key" not in listed
    where = f"/v1/keys/{made['id']}"
    stranger = await signed_in(api, Wallet(2))
    problem(await api.delete(where, headers=stranger), 404, "unknown-key")
    assert (await api.delete(where, headers=headers)).status_code == 204
    problem(await api.delete(where, headers=headers), 404, "unknown-key")
    problem(await api.get("/v1/me", headers=bearer(made["key"])), 401, "unauthorized")
    assert (await api.get("/v1/keys", headers=headers)).json() == {"keys": []}
    problem(await api.post("/v1/signout", headers=bearer(made["key"])), 401, "unauthorized")


async def test_no_key_gives_more_than_it_has(api: httpx.AsyncClient) -> None:
    headers = await signed_in(api)
    body = {"label": "manager", "scopes": ["manage"]}
    manager = bearer((await api.post("/v1/keys", json=body, headers=headers)).json()["key"])
    more = {"label": "more", "scopes": ["manage", "money"]}
    problem(await api.post("/v1/keys", json=more, headers=manager), 403, "insufficient-scope")
    assert (await api.post("/v1/keys", json=body, headers=manager)).status_code == 201
    problem(await api.post("/v1/signout", headers=manager), 409, "not-a-login")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"label": "x", "scopes": []}, 400),
        ({"label": "x", "scopes": ["admin"]}, 400),
        ({"label": "", "scopes": ["read"]}, 400),
        ({"label": "\u202e", "scopes": ["read"]}, 422),
        ({"label": "x" * 65, "scopes": ["read"]}, 400),
        ({"scopes": ["read"]}, 400),
    ],
)
async def test_what_no_key_can_be(
    api: httpx.AsyncClient, body: dict[str, Any], status: int
) -> None:
    headers = await signed_in(api)
    assert (await api.post("/v1/keys", json=body, headers=headers)).status_code == status


async def test_keys_of_an_agent_play_as_it_and_are_its_owner_s_alone(
    api: httpx.AsyncClient, store: Store
) -> None:
    headers, stranger = await signed_in(api), await signed_in(api, Wallet(2))
    ember = (await api.post("/v1/agents", json={"name": "Ember"}, headers=headers)).json()
    where = f"/v1/agents/{ember['agent']}/keys"
    made = (await api.post(where, json={"label": "vps"}, headers=headers)).json()
    assert (made["agent"], made["scopes"]) == (ember["agent"], ["play"])
    identity = await store.agents.by_key(made["key"])
    assert identity is not None
    assert identity.agent == ember["agent"]
    listed = (await api.get(where, headers=headers)).json()["keys"]
    assert [key["label"] for key in listed] == ["play", "vps"]
    assert (await api.get("/v1/keys", headers=headers)).json() == {"keys": []}
    one = f"{where}/{made['id']}"
    for method, url in (("GET", where), ("POST", where), ("DELETE", one)):
        json = {"label": "x"} if method == "POST" else None
        answer = await api.request(method, url, json=json, headers=stranger)
        problem(answer, 404, "unknown-agent")
        answer = await api.request(method, url, json=json, headers=bearer(made["key"]))
        problem(answer, 403, "insufficient-scope")
    problem(await api.delete(f"/v1/keys/{made['id']}", headers=headers), 404, "unknown-key")
    assert (await api.delete(one, headers=headers)).status_code == 204
    assert await store.agents.by_key(made["key"]) is None
    assert await store.agents.by_key(ember["key"]) == identity


async def test_there_is_an_end_of_keys(api: httpx.AsyncClient, store: Store) -> None:
    headers = await signed_in(api)
    account = (await api.get("/v1/me", headers=headers)).json()["account"]
    for number in range(100):
        await store.keys.issue(account, ["read"], str(number))
    body = {"label": "one more", "scopes": ["read"]}
    problem(await api.post("/v1/keys", json=body, headers=headers), 409, "too-many-keys")


async def test_nonces_are_told_apart(redis: Redis) -> None:
    nonces = Nonces(redis)
    given = {await nonces.give() for _ in range(200)}
    assert len(given) == 200
    assert all(nonce.isalnum() and len(nonce) == 22 for nonce in given)
