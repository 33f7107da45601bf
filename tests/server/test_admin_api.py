"""Admins over HTTP: who may, what is done, what is refused and how."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from redis.asyncio import Redis

from server.admin import Acts
from server.identity import Identity
from server.store import Store
from server.store.audit import OPERATOR
from tests.server.aftermath_session import Seats, finish
from tests.server.test_api import client_of, problem

DAY_MS = 86_400_000

Login = Callable[[str], Awaitable[str]]


@pytest.fixture
async def api(store: Store, redis: Redis) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, redis) as client:
        yield client


@pytest.fixture
async def admin(store: Store, api: httpx.AsyncClient) -> str:
    """The account of an admin, whose login every request carries from now on."""
    account = await store.accounts.with_wallet("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
    await Acts(store).grant_role(account.account, "admin", actor=OPERATOR, reason="on call")
    token, _ = await store.logins.begin(account.account, DAY_MS)
    api.headers["Authorization"] = f"Bearer {token}"
    return account.account


@pytest.fixture
async def ember(store: Store) -> Identity:
    return (await store.agents.register("Ember"))[0]


LOOKS = ("sessions", "queues", "jobs", "ledger", "audit")
ACTS = (
    "sessions/01X/void",
    "agents/01X/freeze",
    "agents/01X/unfreeze",
    "accounts/01X/grant-role",
    "accounts/01X/revoke-role",
    "jobs/redrive",
)


async def test_nobody_but_admins_is_told_or_obeyed(
    store: Store, api: httpx.AsyncClient, ember: Identity
) -> None:
    account = await store.accounts.with_wallet("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")
    token, _ = await store.logins.begin(account.account, DAY_MS)
    key = await store.agents.issue_key(ember.agent)
    for role in ("judge", "operator"):
        await Acts(store).grant_role(account.account, role, actor=OPERATOR, reason="x")
    for bearer, status, code in (
        (None, 401, "unauthorized"),
        (token, 403, "insufficient-role"),
        (key, 403, "insufficient-scope"),
    ):
        headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
        for path in LOOKS:
            problem(await api.get(f"/v1/admin/{path}", headers=headers), status, code)
        for path in ACTS:
            answer = await api.post(f"/v1/admin/{path}", json={"reason": "x"}, headers=headers)
            problem(answer, status, code)
    assert len(await store.audit.page()) == 2, "nothing was done but the two grants"


async def test_an_admin_freezes_an_agent_and_the_log_says_who(
    api: httpx.AsyncClient, admin: str, ember: Identity
) -> None:
    path = f"/v1/admin/agents/{ember.agent}"
    entry = (await api.post(f"{path}/freeze", json={"reason": "sells its seats"})).json()
    assert (entry["actor"], entry["act"], entry["subject"]) == (admin, "freeze", ember.agent)
    problem(await api.post(f"{path}/freeze", json={"reason": "again"}), 409, "no-change")
    assert (await api.post(f"{path}/unfreeze", json={"reason": "enough"})).is_success
    page = (await api.get(f"/v1/admin/audit?subject={ember.agent}")).json()
    assert [each["act"] for each in page["entries"]] == ["unfreeze", "freeze"]
    assert page["next"] is None


async def test_what_is_refused_says_why(api: httpx.AsyncClient, admin: str) -> None:
    unknown = await api.post("/v1/admin/sessions/01NOBODY/void", json={"reason": "x"})
    problem(unknown, 404, "unknown-session")
    blank = await api.post("/v1/admin/sessions/01NOBODY/void", json={"reason": "\n"})
    problem(blank, 422, "bad-reason")
    strange = await api.post("/v1/admin/sessions/01NOBODY/void", json={"reason": "x", "by": "me"})
    problem(strange, 400, "bad-body")
    alone = {"role": "admin", "reason": "I resign"}
    problem(
        await api.post(f"/v1/admin/accounts/{admin}/revoke-role", json=alone), 409, "last-admin"
    )
    king = {"role": "king", "reason": "x"}
    problem(await api.post(f"/v1/admin/accounts/{admin}/grant-role", json=king), 400, "bad-body")


async def test_a_session_is_voided_and_its_jobs_are_seen(
    store: Store, redis: Redis, api: httpx.AsyncClient, admin: str
) -> None:
    session = await finish(store, redis, await Seats.registered(store))
    answer = await api.post(f"/v1/admin/sessions/{session}/void", json={"reason": "a fault"})
    assert answer.status_code == 202
    assert answer.json()["given_up"] == ["judge", "rate"]
    again = await api.post(f"/v1/admin/sessions/{session}/void", json={"reason": "a fault"})
    problem(again, 409, "already-void")
    found = (await api.get(f"/v1/admin/jobs?session={session}")).json()
    assert [(job["step"], job["waits_for"]) for job in found["jobs"]] == [
        ("void", None),
        ("settle", "void"),
    ]
    loads = {load["step"]: (load["waiting"], load["due"]) for load in found["loads"]}
    assert loads == {"void": (1, 1), "settle": (1, 0)}
    given_up = (await api.get(f"/v1/admin/jobs?session={session}&state=void")).json()["jobs"]
    assert [job["step"] for job in given_up] == ["judge", "rate"]
    detail = (await api.get(f"/v1/sessions/{session}")).json()
    assert detail["status"] == "void"
    assert detail["outcome"] == {"reason": "voided by the arena: a fault"}
    assert [(each["name"], each["state"]) for each in detail["steps"]] == [
        ("sealed", "done"),
        ("voided", "waiting"),
        ("judged", "failed"),
        ("settled", "waiting"),
        ("rated", "failed"),
    ]


async def test_dead_letters_are_driven_again(
    store: Store, redis: Redis, api: httpx.AsyncClient, admin: str
) -> None:
    session = await finish(store, redis, await Seats.registered(store), "bid-tac-toe")
    [row] = await store.outbox.due(10**13, 10)
    await store.outbox.start(row, 10**13)
    await store.outbox.failed(row, "the ledger is away", None)
    wanted = {"jobs": [row.id, "01NOBODY"], "reason": "it is back"}
    assert (await api.post("/v1/admin/jobs/redrive", json=wanted)).json() == {"jobs": [row.id]}
    [entry] = (await api.get("/v1/admin/audit?act=redrive")).json()["entries"]
    assert entry["detail"]["session"] == session


async def test_what_there_is_to_see(
    store: Store, redis: Redis, api: httpx.AsyncClient, admin: str
) -> None:
    await finish(store, redis, await Seats.registered(store), digest=False)
    assert (await api.get("/v1/admin/sessions")).json() == {"sessions": []}, "it has ended"
    queues = (await api.get("/v1/admin/queues")).json()["queues"]
    assert {queue["space"] for queue in queues} >= {"bid-tac-toe", "rap-battle"}
    assert {queue["leader"] for queue in queues} == {None}
    assert (await api.get("/v1/admin/ledger")).json() == {"sound": True, "violations": []}
