"""What the API hands out of epochs is what the chain holds, and how far a session's proof has come is told line by line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from chain.documents import epoch as epoch_documents
from chain.documents import payouts as payout_documents
from chain.documents import result as results
from chain.documents.form import digest_of
from server.clock import unix_ms
from server.config import Config
from server.store import Store, open_store
from spaces import merkle
from tests.chain.node import account
from tests.server.escrow_world import OWNERS, TIER, TREASURY, Clock, EscrowWorld, escrow_world
from tests.server.test_api import client_of, problem

CONFIG = Config(settlement="chain")


@pytest.fixture
async def ticking(store_url: str) -> AsyncIterator[Store]:
    store = await open_store(store_url, Clock(unix_ms()))
    yield store
    await store.close()


@pytest.fixture
async def world(ticking: Store, tmp_path: Path) -> AsyncIterator[EscrowWorld]:
    async with escrow_world(ticking, Clock(unix_ms()), tmp_path) as made:
        yield made


async def lines_of(api: httpx.AsyncClient, session: str) -> dict[str, str]:
    answer = await api.get(f"/v1/sessions/{session}/proof")
    assert answer.status_code == 200, answer.text
    return {each["name"]: each["state"] for each in answer.json()["lines"]}


async def steps_of(api: httpx.AsyncClient, session: str) -> list[dict[str, str]]:
    """Those of the session that the chain does."""
    detail = (await api.get(f"/v1/sessions/{session}")).json()
    return [each for each in detail["steps"] if each["name"] in ("opened", "anchored")]


async def test_a_session_is_proven_from_its_result_to_the_wallet(
    world: EscrowWorld, redis: Redis
) -> None:
    async with client_of(world.store, redis, config=CONFIG) as api:
        problem(await api.get("/v1/epochs/latest"), 404, "no-epoch")
        session, other = await world.play(), await world.play(first=2)
        before = await lines_of(api, session)
        assert (before["opened"], before["sealed"]) == ("done", "done")
        assert {before[name] for name in ("signed", "settled", "anchored", "paid")} == {"waiting"}
        assert [each["state"] for each in await steps_of(api, session)] == ["done", "waiting"]

        await world.epochs.round()
        problem(await api.get("/v1/epochs/1"), 404, "not-closed")
        await world.settle_down()
        await world.follow()
        assert (await lines_of(api, session))["paid"] == "waiting"
        opened, anchored = await steps_of(api, session)
        assert (opened["name"], anchored["state"]) == ("opened", "done")
        assert anchored["detail"].startswith("epoch 1, tx 0x")
        await world.go_on()

        done = await lines_of(api, session)
        assert [name for name, state in done.items() if state != "done"] == ["pinned", "published"]
        proof = (await api.get(f"/v1/sessions/{session}/proof")).json()
        result = results.read((await api.get(f"/v1/sessions/{session}/result")).content)
        place = proof["epoch"]
        assert merkle.verify(
            bytes.fromhex(digest_of(result)),
            place["place"],
            place["results"],
            [bytes.fromhex(node) for node in place["path"]],
            bytes(await world.escrow.read("result_root", place["epoch"])),
        )
        assert proof["escrow"]["tx"].startswith("0x")
        assert proof["escrow"]["owners"] == [world.wallet(0), world.wallet(1)]

        [card] = (await api.get("/v1/epochs")).json()["epochs"]
        assert (card["epoch"], card["state"]) == (1, "closed")
        epoch = epoch_documents.read((await api.get("/v1/epochs/1")).content)
        assert [each.session for each in epoch.results] == sorted([session, other])
        assert (await api.get("/v1/epochs/latest")).content == (
            await api.get("/v1/epochs/1")
        ).content
        answer = await api.get("/v1/epochs/1/payouts")
        payouts, tree = payout_documents.read(answer.content)
        seen = {"If-None-Match": answer.headers["etag"]}
        assert (await api.get("/v1/epochs/1/payouts", headers=seen)).status_code == 304
        assert payouts.root == epoch.payouts.root
        treasury = account(TREASURY).address
        answer = await api.get(f"/v1/epochs/latest/payouts/{treasury}")
        proof_of = payout_documents.read_proof(answer.content)
        assert proof_of.leads_to(bytes(await world.escrow.read("payout_root")))
        assert proof_of.cumulative_micros == tree.cumulative(treasury) == 2 * 2 * TIER // 20
        nobody = account(OWNERS[0] + 6).address
        problem(await api.get(f"/v1/epochs/latest/payouts/{nobody}"), 404, "nothing-allotted")
        problem(await api.get("/v1/epochs/latest/payouts/0x12"), 400, "bad-address")
        problem(await api.get("/v1/epochs/7"), 404, "unknown-epoch")
        problem(await api.get("/v1/epochs/zero"), 404, "unknown-epoch")


@pytest.mark.slow
async def test_old_payouts_are_said_to_be_replaced(world: EscrowWorld, redis: Redis) -> None:
    async with client_of(world.store, redis, config=CONFIG) as api:
        for _ in range(3):
            await world.play()
            await world.go_on()
        await world.go_on(1)
        problem(await api.get("/v1/epochs/1/payouts"), 404, "replaced")
        assert (await api.get("/v1/epochs/1")).status_code == 200, "its results stand for ever"
        page = (await api.get("/v1/epochs?limit=2")).json()
        assert ([each["epoch"] for each in page["epochs"]], page["next"]) == ([3, 2], 2)
        rest = (await api.get("/v1/epochs?limit=2&before=2")).json()
        assert ([each["epoch"] for each in rest["epochs"]], rest["next"]) == ([1], None)


@pytest.mark.slow
async def test_a_void_session_is_told_as_refunded(world: EscrowWorld, redis: Redis) -> None:
    void = await world.play(void=True)
    await world.go_on()
    async with client_of(world.store, redis, config=CONFIG) as api:
        lines = await lines_of(api, void)
        _, anchored = await steps_of(api, void)
    assert anchored["detail"].startswith("refunded, tx 0x")
    assert lines["anchored"] == "done"
    assert "paid" not in lines
