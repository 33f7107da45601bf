"""`agon admin` as an operator uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from server.embedded import database
from server.live.queue import Queues
from server.live.records import TicketRecord
from server.store import Store, open_store
from tests.server.aftermath_session import ScriptedPanel, Seats, finish, worker
from tests.server.money_world import TIER, balance, funded, session_of, ticket_of
from tests.server.test_jobs_command import Agon, working
from tests.server.test_jobs_void import opened

WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@pytest.fixture
def agon(store: Store, store_url: str, redis_url: str) -> Agon:
    return Agon(store_url, AGON_REDIS_URL=redis_url)


async def test_a_live_session_with_money_in_its_pot_is_voided_and_paid_back(
    store: Store, redis: Redis, agon: Agon
) -> None:
    ann, ben = await funded(store, "Ann"), await funded(store, "Ben")
    tickets: list[TicketRecord] = [ticket_of(each) for each in (ann, ben)]
    for ticket in tickets:
        await store.entries.hold(ticket)
    record = session_of(tickets)
    record = await opened(store, redis, Seats(ann, ben), record=record)
    [listed] = await agon.json("admin", "sessions")
    assert (listed["session"], listed["host"]) == (record.session, None)
    assert listed["agents"] == [ann.agent, ben.agent]
    assert "nobody" in await agon("admin", "sessions")
    async with working(worker(store, redis, ScriptedPanel())):
        told = await agon(
            "admin", "void", record.session, "--reason", "the space was broken", apart=True
        )
    assert "is void; 0.20 USDC went back" in told
    assert [await balance(store, each) for each in (ann, ben)] == [10 * TIER] * 2
    assert await agon("admin", "ledger") == "the ledger is sound\n"
    assert "is void already" in await agon(
        "admin", "void", record.session, "--reason", "again", status=1
    )
    shown = await agon("admin", "audit", "--act", "void")
    assert record.session in shown
    assert "the space was broken" in shown


async def test_roles_by_wallet(store: Store, agon: Agon) -> None:
    account = await store.accounts.with_wallet(WALLET)
    for name in (WALLET.lower(), account.account):
        told = await agon("admin", "grant-role", name, "admin", "--reason", "on call")
        assert told == f"grant-role {account.account}: on call\n"
        await agon("admin", "revoke-role", name, "admin", "--reason", "off call")
    nobody = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
    told = await agon("admin", "grant-role", nobody, "admin", "--reason", "x", status=1)
    assert "no account signs in with the wallet" in told
    assert len(await agon.json("admin", "audit", "--subject", account.account)) == 4


async def test_agents_are_frozen_and_thawed(store: Store, agon: Agon) -> None:
    ember, _ = await store.agents.register("Ember")
    await agon("admin", "freeze", ember.agent, "--reason", "sells its seats")
    told = await agon("admin", "freeze", ember.agent, "--reason", "again", status=1)
    assert "is frozen: sells its seats" in told
    await agon("admin", "unfreeze", ember.agent, "--reason", "it was its twin")
    assert "1 to 280" in await agon("admin", "freeze", ember.agent, "--reason", " ", status=1)


async def test_queues_and_steps_are_counted(store: Store, redis: Redis, agon: Agon) -> None:
    ann = await funded(store, "Ann")
    await Queues(redis).enqueue(ticket_of(ann))
    queues = await agon.json("admin", "queues")
    [waited] = [each for each in queues if each["waiting"]]
    assert (waited["space"], waited["tier_micros"], waited["leader"]) == ("bid-tac-toe", TIER, None)
    assert "0.10 USDC" in await agon("admin", "queues")
    await finish(store, redis, await Seats.registered(store))
    steps = {
        each["step"]: (each["waiting"], each["due"]) for each in await agon.json("admin", "jobs")
    }
    assert steps == {"judge": (1, 1), "rate": (1, 0), "settle": (1, 0)}
    assert "judge" in await agon("admin", "jobs")


async def test_a_ledger_that_is_not_sound_is_an_error(store: Store, agon: Agon) -> None:
    await funded(store, "Ann")
    async with store.database.writing() as tx:
        await tx.execute(text("UPDATE ledger_account SET credits_posted = credits_posted + 1"))
    told = await agon("admin", "ledger", status=1)
    assert "violations" in told


async def test_an_arena_is_backed_up_and_restored_by_two_commands(tmp_path: Path) -> None:
    data, out = tmp_path / "data", str(tmp_path / "arena.tar")
    agon = Agon("")
    agon.env["AGON_DATABASE_URL"] = None
    nothing = await agon("backup", "--out", out, "--data-dir", str(data), status=1)
    assert "no arena has run in" in nothing
    data.mkdir()
    store = await open_store(f"sqlite:///{data / database.FILE}")
    ann = await funded(store, "Ann")
    await store.close()
    made = await agon.json("backup", "--out", out, "--data-dir", str(data))
    assert made["sound"]
    elsewhere = str(tmp_path / "elsewhere")
    told = await agon("restore", out, "--data-dir", elsewhere)
    assert "0 live sessions would become void, 0 held entries go back" in told
    store = await open_store(f"sqlite:///{tmp_path / 'elsewhere' / database.FILE}")
    assert await store.agents.get(ann.agent) == ann
    await store.close()


async def test_records_in_postgresql_are_left_to_its_own_tools(tmp_path: Path) -> None:
    agon = Agon("postgresql://agon@db/agon")
    for command in (("backup", "--out", "x.tar"), ("restore", "x.tar")):
        told = await agon(*command, "--data-dir", str(tmp_path), status=1)
        assert "use pg_" in told
