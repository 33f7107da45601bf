"""An owner's money over HTTP."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from server.admin import Acts
from server.clock import unix_ms
from server.config import Config
from server.identity import Identity
from server.ledger import names
from server.settlement.border import Border
from server.settlement.seam import Confirmed, Failed
from server.settlement.simulated import SimulatedSettlement
from server.store import Store
from server.store.crossings import MAX_PENDING, Crossing
from server.store.money import idempotency
from tests.server.money_world import TIER, deposit
from tests.server.test_api import client_of, problem

WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


class Owner:
    """Somebody who has signed in, with one agent and five USDC."""

    def __init__(
        self, store: Store, http: httpx.AsyncClient, account: str, agent: Identity
    ) -> None:
        self.store, self.http, self.account, self.agent = store, http, account, agent

    async def available(self, holder: str = "owner", asset: str = "usdc") -> int:
        answer = await self.http.get("/v1/me/balances")
        found = [
            b for b in answer.json()["balances"] if (b["holder"], b["asset"]) == (holder, asset)
        ]
        return int(found[0]["available_micros"]) if found else 0

    async def post(self, path: str, key: str | None = None, **body: Any) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.http.post(path, json=body, headers=headers)


Signed = Callable[[str], Awaitable[Owner]]


@pytest.fixture
async def signed(store: Store, redis: Redis) -> AsyncIterator[Signed]:
    clients: list[httpx.AsyncClient] = []

    async def sign(wallet: str) -> Owner:
        account = await store.accounts.with_wallet(wallet)
        token, _ = await store.logins.begin(account.account, 86_400_000)
        agent, _ = await store.agents.register("Ember", account.account)
        await store.ledger.require([deposit(names.owner("usdc", account.account), 5_000_000)])
        client = client_of(store, redis, config=Config(settlement_delay_ms=0))
        client.headers["Authorization"] = f"Bearer {token}"
        clients.append(client)
        return Owner(store, client, account.account, agent)

    yield sign
    for client in clients:
        await client.aclose()


@pytest.fixture
async def ann(signed: Signed) -> Owner:
    return await signed(WALLET)


def border(store: Store) -> Border:
    settlement = SimulatedSettlement(unix_ms, 0)
    return Border(crossings=store.crossings, settlement=settlement, clock=unix_ms)


async def test_an_agent_is_funded_and_gives_it_back(ann: Owner) -> None:
    agent = ann.agent.agent
    answer = await ann.post("/v1/transfers", source="owner", to=agent, micros=2_000_000)
    assert answer.status_code == 201, answer.text
    assert answer.json()["to"]["available_micros"] == 2_000_000
    await ann.post("/v1/transfers", source=agent, to="owner", micros=500_000)
    assert (await ann.available(), await ann.available(agent)) == (3_500_000, 1_500_000)
    assert await ann.store.ledger.audit() == []


async def test_what_a_frozen_agent_has_stays_with_it_and_the_owner_s_own_does_not(
    ann: Owner,
) -> None:
    agent, acts = ann.agent.agent, Acts(ann.store)
    await ann.post("/v1/transfers", source="owner", to=agent, micros=2_000_000)
    body: dict[str, Any] = {"source": agent, "to": "owner", "micros": 100_000}
    before = await ann.post("/v1/transfers", "before", **body)
    await acts.freeze(agent, actor="boss", reason="sells its seats")
    refused = problem(await ann.post("/v1/transfers", **body), 409, "frozen")
    assert "sells its seats" in refused["detail"]
    problem(await ann.post("/v1/transfers", **(body | {"micros": 10**9})), 409, "frozen")
    problem(await ann.http.post(f"/v1/agents/{agent}/clone", json={"name": "Twin"}), 409, "frozen")
    async with ann.store.database.writing() as tx:  # the memory is lost, and the ledger's is not
        await tx.execute(idempotency.delete())
    again = await ann.post("/v1/transfers", "before", **body)
    assert again.json()["transfer"] == before.json()["transfer"]
    assert (await ann.available(), await ann.available(agent)) == (3_100_000, 1_900_000)
    assert (await ann.post("/v1/withdrawals", micros=3_000_000)).status_code == 202
    answer = await ann.post("/v1/transfers", source="owner", to=agent, micros=100_000)
    assert answer.status_code == 201
    await acts.unfreeze(agent, actor="boss", reason="it was its twin")
    assert (await ann.post("/v1/transfers", **body)).status_code == 201
    assert await ann.store.ledger.audit() == []


async def test_of_a_freeze_and_a_transfer_at_once_one_comes_first(ann: Owner) -> None:
    agent, acts = ann.agent.agent, Acts(ann.store)
    await ann.post("/v1/transfers", source="owner", to=agent, micros=2_000_000)
    body: dict[str, Any] = {"source": agent, "to": "owner", "micros": 1}
    for _ in range(6):
        racing = asyncio.gather(*(ann.post("/v1/transfers", **body) for _ in range(3)))
        await acts.freeze(agent, actor="boss", reason="a look at it")
        there = await ann.available(agent)
        codes = {answer.status_code for answer in await racing}
        assert codes <= {201, 409}
        assert await ann.available(agent) == there, "nothing moves once it is frozen"
        await acts.unfreeze(agent, actor="boss", reason="looked at")


async def test_a_request_that_is_made_twice_moves_money_once(ann: Owner) -> None:
    body = {"source": "owner", "to": ann.agent.agent, "micros": 1_000_000}
    answers = await asyncio.gather(*(ann.post("/v1/transfers", "k1", **body) for _ in range(5)))
    for answer in answers:
        if answer.status_code != 201:  # it came while the first was being answered
            problem(answer, 409, "in-progress")
    answers.append(await ann.post("/v1/transfers", "k1", **body))
    done = [answer for answer in answers if answer.status_code == 201]
    assert len(done) >= 2
    assert len({answer.json()["transfer"] for answer in done}) == 1
    # The memory is lost, as when the process dies before it has answered: the ledger remembers.
    async with ann.store.database.writing() as tx:
        await tx.execute(idempotency.delete())
    again = await ann.post("/v1/transfers", "k1", **body)
    assert again.json()["transfer"] == done[0].json()["transfer"]
    assert await ann.available() == 4_000_000
    async with ann.store.database.writing() as tx:
        await tx.execute(idempotency.delete())
    problem(
        await ann.post("/v1/transfers", "k1", **(body | {"micros": 2})),
        422,
        "idempotency-mismatch",
    )
    other = await ann.post("/v1/transfers", "k1", **(body | {"micros": 2}))
    problem(other, 422, "idempotency-mismatch")


async def test_nobody_spends_what_is_not_there(ann: Owner) -> None:
    agent = ann.agent.agent
    tried = [
        ann.post("/v1/transfers", source="owner", to=agent, micros=3_000_000) for _ in range(4)
    ]
    answers = await asyncio.gather(*tried)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    problem(next(a for a in answers if a.status_code == 409), 409, "unfunded")
    assert await ann.available() == 2_000_000


async def test_other_people_s_purses_are_not_there(ann: Owner, signed: Signed) -> None:
    ben = await signed("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")
    theirs = ben.agent.agent
    for holder in (theirs, "01ARZ3NDEKTSV4RRFFQ69G5FAV"):
        answer = await ann.http.get("/v1/me/statement", params={"holder": holder})
        assert problem(answer, 404, "unknown-agent")["detail"] == f"unknown agent '{holder}'"
        answer = await ann.post("/v1/transfers", source=holder, to="owner", micros=1)
        problem(answer, 404, "unknown-agent")
        answer = await ann.post("/v1/transfers", source="owner", to=holder, micros=1)
        problem(answer, 404, "unknown-agent")
    assert await ben.available() == 5_000_000


async def test_a_deposit_counts_once_the_chain_has_said_so(ann: Owner) -> None:
    answer = await ann.post("/v1/deposits", "d1", micros=7_000_000)
    again = await ann.post("/v1/deposits", "d1", micros=7_000_000)
    assert (answer.status_code, answer.json()) == (202, again.json())
    assert answer.json()["state"] == "pending"
    assert await ann.available() == 5_000_000
    assert await border(ann.store).round() == 1
    assert await border(ann.store).round() == 0
    assert await ann.available() == 12_000_000
    [crossing] = (await ann.http.get("/v1/me/crossings")).json()["crossings"]
    assert (crossing["state"], crossing["wallet"]) == ("confirmed", WALLET)
    assert crossing["reference"].startswith("simulated:")
    problem(await ann.post("/v1/deposits", "d1", micros=1), 422, "idempotency-mismatch")
    problem(await ann.post("/v1/deposits", micros=1_000_000_001), 422, "too-much")
    assert await ann.store.ledger.audit() == []


async def test_a_withdrawal_reserves_at_once_and_comes_back_if_it_fails(ann: Owner) -> None:
    good = (await ann.post("/v1/withdrawals", micros=2_000_000)).json()
    bad = (await ann.post("/v1/withdrawals", micros=1_000_000)).json()
    assert await ann.available() == 2_000_000
    problem(await ann.post("/v1/withdrawals", micros=2_000_001), 409, "unfunded")

    class Chain:
        name = "test"

        async def outcome(self, crossing: Crossing) -> Confirmed | Failed | None:
            return Confirmed("0xabc") if crossing.id == good["id"] else Failed("blocked wallet")

    every = Border(crossings=ann.store.crossings, settlement=Chain(), clock=unix_ms)
    assert await every.round() == 2
    assert await ann.available() == 3_000_000
    failed = await ann.store.crossings.get(bad["id"])
    assert failed is not None
    assert (failed.state, failed.reason) == ("failed", "blocked wallet")
    # what the chain says later changes nothing
    assert (await ann.store.crossings.confirm(bad["id"], "0xdef")).state == "failed"
    assert (await ann.store.crossings.fail(good["id"], "late")).state == "confirmed"
    assert await ann.available() == 3_000_000
    assert await ann.store.ledger.audit() == []


async def test_crossings_come_in_pages(ann: Owner, signed: Signed) -> None:
    ben = await signed("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")
    made = [
        (await ann.post("/v1/withdrawals", f"k{number}", micros=number + 1)).json()["id"]
        for number in range(7)
    ]
    theirs = (await ben.post("/v1/withdrawals", micros=1)).json()["id"]
    seen: list[str] = []
    before: dict[str, str] = {}
    for size in (3, 3, 1):
        page = (await ann.http.get("/v1/me/crossings", params={"limit": 3, **before})).json()
        assert len(page["crossings"]) == size
        seen += [each["id"] for each in page["crossings"]]
        before = {"before": page["next"]}
    assert page["next"] is None
    assert sorted(seen) == sorted(made), "each once, also of one millisecond"
    made_ms = [crossing.made_ms for crossing in await ann.store.crossings.of_account(ann.account)]
    assert made_ms == sorted(made_ms, reverse=True)
    page = (await ann.http.get("/v1/me/crossings", params={"before": theirs})).json()
    assert page["crossings"] == [], "another's says nothing"
    problem(await ann.http.get("/v1/me/crossings", params={"limit": 0}), 400, "bad-query")


async def test_crossings_that_wait_are_bounded(ann: Owner) -> None:
    for _ in range(MAX_PENDING):
        assert (await ann.post("/v1/deposits", micros=1)).status_code == 202
    answer = await ann.post("/v1/deposits", micros=1)
    problem(answer, 409, "too-many-pending")
    assert answer.headers["retry-after"] == "5"


async def test_an_account_without_a_wallet_cannot_be_paid(store: Store, redis: Redis) -> None:
    agent, _ = await store.agents.register("Ember")
    token, _ = await store.logins.begin(agent.owner, 86_400_000)
    async with client_of(store, redis) as client:
        headers = {"Authorization": f"Bearer {token}"}
        for path in ("/v1/deposits", "/v1/withdrawals"):
            answer = await client.post(path, json={"micros": 1}, headers=headers)
            problem(answer, 409, "no-wallet")


async def test_a_statement_is_paged_and_comes_as_csv(ann: Owner) -> None:
    for number in range(5):
        to = ann.agent.agent
        await ann.post("/v1/transfers", source="owner", to=to, micros=1 + number)
    first = (await ann.http.get("/v1/me/statement", params={"limit": 4})).json()
    query = {"limit": 4, "before": first["next"]}
    rest = (await ann.http.get("/v1/me/statement", params=query)).json()
    lines = first["lines"] + rest["lines"]
    assert [line["micros"] for line in lines] == [-5, -4, -3, -2, -1, 5_000_000]
    assert rest["next"] is None
    assert lines[0]["balance_micros"] == 5_000_000 - 15
    answer = await ann.http.get("/v1/me/statement.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [int(row["micros"]) for row in rows] == [line["micros"] for line in lines]


@pytest.mark.parametrize(
    "body",
    [
        {"source": "owner", "to": "owner", "micros": 1},
        {"source": "owner", "to": "x", "micros": 0},
        {"source": "owner", "to": "x", "micros": -1},
        {"source": "owner", "to": "x", "micros": 1.5},
        {"source": "owner", "to": "x", "micros": 10**13},
        {"source": "owner", "to": "x", "micros": 1, "asset": "frac"},
        {"source": "owner", "to": "x", "micros": 1, "more": 1},
    ],
)
async def test_what_is_no_transfer_is_refused(ann: Owner, body: dict[str, Any]) -> None:
    answer = await ann.post("/v1/transfers", **body)
    assert answer.status_code in (400, 422), answer.text
    assert await ann.available() == 5_000_000


async def test_reading_needs_a_scope_and_moving_another(ann: Owner) -> None:
    answer = await ann.http.get(
        "/v1/me/balances", headers={"Authorization": "Bearer agon_no_such_key"}
    )
    problem(answer, 401, "unauthorized")


async def test_everybody_sees_what_it_costs_before_joining(ann: Owner) -> None:
    table = (await ann.http.get("/v1/fees", headers={})).json()
    assert table["settlement"] == "simulated"
    tenth = next(tier for tier in table["tiers"] if tier["tier_micros"] == TIER)
    two = next(each for each in tenth["tables"] if each["seats"] == 2)
    assert two["places_micros"] == [190_000, 0]
    assert two["fees"] == {"protocol": 4_000, "judges": 4_000, "operators": 2_000}
