"""The escrow's logs in the mirror and the ledger: whatever is taken back and told otherwise, what is left is what was told last."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from chain.client.escrow import session_id
from server.automation import Limits
from server.clock import unix_ms
from server.ledger import Kind, Transfer, names
from server.settlement.mirror import LARGEST_MICROS, MOST_MICROS, Mirror
from server.store import Store, chain, escrow, money, open_store, schema
from server.store.chain_logs import ChainLogs
from server.store.debts import Debts
from tests.server.escrow_story import ESCROW, Event, Story, wallet

READER = "escrow"
TREASURY = wallet(500)
OWNERS = [wallet(number) for number in (1, 2, 3)]
STRANGER = wallet(77)
"""Nobody has signed in with it."""
SESSIONS = [f"01HZ{number:022d}" for number in range(6)]
EPOCHS = 3
ROOT = bytes(range(32))
TIED = "usdc:pot:elsewhere"
LIMITS = Limits(spaces=("logic",), tier_micros=100_000, max_sessions=5, stop_loss_micros=500_000)


class Follow:
    """A store that follows a story."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.alarms: list[tuple[str, str]] = []
        self.mirror = Mirror(
            database=store.database,
            escrow=ESCROW,
            treasury=TREASURY,
            clock=unix_ms,
            alarm=lambda kind, detail: self.alarms.append((kind, detail)),
        )
        self.logs = ChainLogs(store.database, self.mirror)
        self.debts = Debts(store.database, unix_ms)
        self.positions: list[int] = []
        self.agents: dict[str, list[str]] = {}

    async def begin(self) -> None:
        """Owners with agents, sessions that are wanted, epochs that are made."""
        for owner in OWNERS:
            account = await self.store.accounts.with_wallet(owner)
            made = [await self.store.agents.register(name, account.account) for name in "ab"]
            self.agents[owner] = [identity.agent for identity, _ in made]
        async with self.store.database.writing() as tx:
            for number in range(1, EPOCHS + 1):
                await tx.execute(escrow.epoch.insert().values(_epoch(number)))
            for session in SESSIONS:
                await tx.execute(schema.session.insert().values(_session(session)))
                await tx.execute(escrow.escrow_session.insert().values(_wanted(session)))

    async def read(self, story: Story, upto: int) -> None:
        assert await self.logs.take(READER, story.batch(self.at, upto))
        self.positions.append(upto)

    async def back_to(self, story: Story, number: int) -> None:
        """To the newest position that is not above."""
        while self.positions[-1] > number:
            self.positions.pop()
        await self.logs.roll_back(READER, story.position(self.positions[-1]))

    @property
    def at(self) -> int | None:
        return self.positions[-1] if self.positions else None

    async def purses(self, owner: str) -> list[str]:
        found = await self.store.accounts.of_wallet(owner)
        if found is None:
            return []
        if owner == TREASURY:
            return [names.fees("usdc", pool) for pool in names.POOLS]
        theirs = [names.agent("usdc", agent) for agent in self.agents.get(owner, ())]
        return [names.owner("usdc", found.account), *theirs]


@asynccontextmanager
async def follow(url: str) -> AsyncIterator[Follow]:
    store = await open_store(url)
    found = Follow(store)
    await found.begin()
    try:
        yield found
    finally:
        await store.close()


def _session(session: str) -> dict[str, Any]:
    row = {
        "id": session,
        "space": "logic",
        "rules": "logic/1",
        "tier_micros": 1,
        "status": "formed",
    }
    return row | {"opened_ms": 0, "record": b""}


def _wanted(session: str) -> dict[str, Any]:
    row = {"session": session, "digest": session_id(session).hex(), "entry_micros": 1}
    return row | {"owners": "[]", "state": "wanted", "made_ms": 0}


def _epoch(number: int) -> dict[str, Any]:
    row = {"number": number, "state": "made", "document": b"", "allotted_micros": 0, "made_ms": 0}
    return row | {"result_root": ROOT.hex(), "payout_root": ROOT.hex()}


async def mirrored(found: Follow) -> dict[str, list[Any]]:
    """All that follows from logs alone."""
    tables = {
        "limits": escrow.escrow_limits,
        "sessions": escrow.escrow_session,
        "epochs": escrow.epoch,
    }
    rows: dict[str, list[Any]] = {}
    async with found.store.database.reading() as tx:
        for name, table in tables.items():
            rows[name] = sorted(map(str, (await tx.execute(select(table))).all()))
        o, c = escrow.escrow_owner, money.crossing
        rows["owners"] = sorted(
            tuple(row) for row in await tx.execute(select(o)) if any(tuple(row)[1:])
        )
        crossings = select(c.c.wallet, c.c.direction, c.c.micros, c.c.state, c.c.reference)
        kept = (c.c.reason.is_(None)) | c.c.reason.not_like("the chain%")
        rows["crossings"] = sorted(map(str, (await tx.execute(crossings.where(kept))).all()))
    return rows


async def owned(found: Follow, owner: str) -> tuple[int, int]:
    """What an owner has on the ledger, and how much of it is on its way out; less what the chain has yet to get of each."""
    accounts = await found.store.ledger.accounts(await found.purses(owner))
    has = sum(each.balance_micros for each in accounts.values())
    leaving = sum(each.debits_pending for each in accounts.values())
    d, c, a = escrow.escrow_debt, money.crossing, schema.account
    query = (
        select(d.c.code, c.c.state, func.sum(d.c.micros - d.c.reserved_micros))
        .join(a, a.c.id == d.c.account)
        .join(c, c.c.id == d.c.id)
        .where(d.c.state == "open", a.c.wallet == owner)
        .group_by(d.c.code, c.c.state)
    )
    async with found.store.database.reading() as tx:
        for code, state, left in await tx.execute(query):
            if code == "withdrawal" and state == "pending":
                leaving += int(left)
            else:
                has -= int(left)
    return has, leaving


async def held(found: Follow) -> int:
    """What the ledger says that the escrow holds."""
    chain = await found.store.ledger.account(names.CHAIN)
    d, c = escrow.escrow_debt, money.crossing
    gone = (d.c.code == "undone") | (c.c.state == "confirmed")
    query = select(func.coalesce(func.sum(d.c.micros - d.c.reserved_micros), 0)).join(
        c, c.c.id == d.c.id
    )
    async with found.store.database.reading() as tx:
        left = await tx.scalar(query.where(d.c.state == "open", gone))
    return -chain.balance_micros - int(left or 0)


async def disturb(found: Follow, chance: random.Random, tied: list[Transfer]) -> None:
    """Owners move money to agents, and some of it is tied up for a while."""
    owner = chance.choice(OWNERS)
    purses = await found.purses(owner)
    number = f"{len(tied)}:{chance.random()}"
    if tied and chance.random() < 0.4:
        held_ = tied.pop(chance.randrange(len(tied)))
        await found.store.ledger.submit(
            [transfer(f"free:{held_.id}", held_.debit, TIED, held_.micros, Kind.VOID, held_.id)]
        )
        return
    micros = chance.randint(1, 4)
    if chance.random() < 0.5:
        fund = transfer(f"fund:{number}", purses[0], chance.choice(purses[1:]), micros)
        await found.store.ledger.submit([fund])
        return
    tie = transfer(f"tie:{number}", chance.choice(purses), TIED, micros, Kind.PENDING)
    if (await found.store.ledger.submit([tie]))[0].done:
        tied.append(tie)


def transfer(
    id_: str, debit: str, credit: str, micros: int, kind: Kind = Kind.POSTED, of: str | None = None
) -> Transfer:
    return Transfer(
        id=id_, debit=debit, credit=credit, asset="usdc", micros=micros, code="fund", kind=kind, pending=of
    )  # fmt: skip


async def settle_down(found: Follow, tied: Sequence[Transfer]) -> None:
    for each in tied:
        free = transfer(f"free:{each.id}", each.debit, TIED, each.micros, Kind.VOID, each.id)
        await found.store.ledger.require([free])
    while await found.debts.collect(TREASURY):
        pass


async def tell(found: Follow, chance: random.Random, steps: int, *, disturbed: bool) -> Story:
    """A story with forks, followed; looked at after each step."""
    story = Story(chance, [*OWNERS, STRANGER, TREASURY], SESSIONS, ROOT)
    tied: list[Transfer] = []
    await found.read(story, 0)
    for _ in range(steps):
        for _ in range(chance.randint(1, 3)):
            story.grow(chance.choice([4, 12]))
        assert found.at is not None
        await found.read(story, chance.randint(found.at + 1, len(story.blocks) - 1))
        if disturbed:
            for _ in range(3):
                await disturb(found, chance, tied)
            await found.debts.collect(TREASURY)
        if chance.random() < 0.35:
            depth = chance.randint(1, min(6, len(story.blocks) - 1))
            story.fork(depth)
            await found.back_to(story, len(story.blocks) - 1)
        assert await held(found) == story.state(found.at).held
        if chance.random() < 0.3:
            assert await found.store.ledger.audit() == []
    story.grow()
    await found.read(story, len(story.blocks) - 1)
    await settle_down(found, tied)
    assert await found.store.ledger.audit() == []
    return story


async def check_seed(
    seed: int, steps: int, first: Follow, scratch: Follow, *, disturbed: bool
) -> None:
    story = await tell(first, random.Random(seed), steps, disturbed=disturbed)
    await scratch.read(story, len(story.blocks) - 1)
    await settle_down(scratch, ())
    assert await mirrored(first) == await mirrored(scratch)
    for owner in (*OWNERS, STRANGER, TREASURY):
        assert await owned(first, owner) == await owned(scratch, owner), owner
    state = story.state()
    async with first.store.database.reading() as tx:
        rows = {row.wallet: row for row in await tx.execute(select(escrow.escrow_owner))}
    for owner, has in state.owners.items():
        if has.balance or has.claimed or has.leaving:
            row = rows[owner]
            told = row.balance_micros, row.claimed_micros, row.leaving_micros
            assert told == (has.balance, has.claimed, has.leaving)


@pytest.fixture
async def two_urls(store_url: str, tmp_path: Path) -> list[str]:
    """Two empty databases; the second one is SQLite whatever the first one is, since they must tell the same."""
    return [store_url, f"sqlite:///{tmp_path / 'scratch.db'}"]


@pytest.mark.parametrize("disturbed", [False, True])
async def test_what_was_taken_back_leaves_nothing(two_urls: list[str], disturbed: bool) -> None:
    async with follow(two_urls[0]) as first, follow(two_urls[1]) as scratch:
        await check_seed(7, 15, first, scratch, disturbed=disturbed)


@pytest.fixture
async def found(store: Store) -> Follow:
    made = Follow(store)
    await made.begin()
    return made


@pytest.fixture
async def story(found: Follow) -> Story:
    """Nothing has happened in it."""
    begun = Story(random.Random(0), OWNERS, SESSIONS, ROOT)
    await found.read(begun, 0)
    return begun


async def happens(found: Follow, story: Story, name: str, **fields: Any) -> None:
    story.tell(name, **fields)
    await found.read(story, len(story.blocks) - 1)


async def undone(found: Follow, story: Story, depth: int = 1) -> None:
    story.fork(depth)
    await found.back_to(story, len(story.blocks) - 1)


async def available(found: Follow, purse: str) -> int:
    return (await found.store.ledger.account(purse)).available_micros


async def states(found: Follow, owner: str) -> list[tuple[str, int, str]]:
    account = await found.store.accounts.of_wallet(owner)
    assert account is not None
    crossings = await found.store.crossings.of_account(account.account)
    return sorted((each.direction, each.micros, each.state) for each in crossings)


async def test_whoever_deposits_before_signing_in_finds_it_there(
    found: Follow, story: Story
) -> None:
    await happens(found, story, "Deposited", owner=STRANGER, amount=7)
    account = await found.store.accounts.with_wallet(STRANGER)
    assert await available(found, names.owner("usdc", account.account)) == 7
    assert await states(found, STRANGER) == [("deposit", 7, "confirmed")]


async def test_the_treasurys_money_is_the_arenas(found: Follow, story: Story) -> None:
    pool = names.fees("usdc", "protocol")
    await happens(found, story, "Deposited", owner=TREASURY, amount=9)
    assert await available(found, pool) == 9
    request = {"owner": TREASURY, "amount": 4, "total": 4, "ready_at": 0}
    await happens(found, story, "WithdrawalRequested", **request)
    assert await available(found, pool) == 5
    await happens(found, story, "Withdrawn", owner=TREASURY, to=STRANGER, amount=4)
    assert await held(found) == 5


async def test_what_waits_in_queues_is_collected_before_it_can_be_spent_again(
    found: Follow, story: Story
) -> None:
    owner = OWNERS[0]
    purse, agent, other = await found.purses(owner)
    await happens(found, story, "Deposited", owner=owner, amount=10)
    move = [transfer("fund:1", purse, agent, 6), transfer("fund:2", purse, other, 2)]
    tie = transfer("tie", agent, TIED, 6, Kind.PENDING)
    await found.store.ledger.require([*move, tie])
    request = {"owner": owner, "amount": 9, "total": 9, "ready_at": 0}
    await happens(found, story, "WithdrawalRequested", **request)
    assert [await available(found, each) for each in (purse, agent, other)] == [0, 0, 0]
    assert await found.debts.left_micros() == 5
    assert await found.debts.collect(TREASURY) == 0
    await found.store.ledger.require([transfer("free", agent, TIED, 6, Kind.VOID, "tie")])
    assert await found.debts.collect(TREASURY) == 1
    assert await available(found, agent) == 1
    assert await found.debts.left_micros() == 0
    await happens(found, story, "Withdrawn", owner=owner, to=owner, amount=9)
    assert await states(found, owner) == [
        ("deposit", 10, "confirmed"),
        ("withdrawal", 9, "confirmed"),
    ]
    assert await held(found) == 1
    assert await found.store.ledger.audit() == []


async def test_what_is_paid_before_it_could_be_collected_stays_owed(
    found: Follow, story: Story
) -> None:
    owner = OWNERS[0]
    purse, agent, _ = await found.purses(owner)
    await happens(found, story, "Deposited", owner=owner, amount=10)
    tie = transfer("tie", agent, TIED, 8, Kind.PENDING)
    await found.store.ledger.require([transfer("fund:1", purse, agent, 8), tie])
    request = {"owner": owner, "amount": 10, "total": 10, "ready_at": 0}
    await happens(found, story, "WithdrawalRequested", **request)
    await happens(found, story, "Withdrawn", owner=owner, to=owner, amount=10)
    assert await held(found) == 0
    chain = await found.store.ledger.account(names.CHAIN)
    assert -chain.balance_micros == 8, "the ledger has not been able to take it yet"
    await found.store.ledger.require([transfer("free", agent, TIED, 8, Kind.VOID, "tie")])
    await found.debts.collect(TREASURY)
    assert await available(found, agent) == 0
    assert (await found.store.ledger.account(names.CHAIN)).balance_micros == 0
    await undone(found, story)
    assert await owned(found, owner) == (10, 10), "it is reserved as before"
    await undone(found, story)
    assert [await available(found, each) for each in (purse, agent)] == [2, 8]


async def test_a_deposit_that_is_taken_back_and_spent_is_owed(found: Follow, story: Story) -> None:
    owner = OWNERS[0]
    purse, *_ = await found.purses(owner)
    await happens(found, story, "Deposited", owner=owner, amount=10)
    await found.store.ledger.require([transfer("lost", purse, TIED, 7)])
    await undone(found, story)
    assert await owned(found, owner) == (-7, 0)
    await happens(found, story, "Deposited", owner=owner, amount=12)
    assert await available(found, purse) == 5, "what was owed went first"
    assert await found.debts.left_micros() == 0
    assert await held(found) == 12


async def test_an_agents_automation_stops_where_its_money_went(found: Follow, story: Story) -> None:
    owner = OWNERS[0]
    purse, spared, taken = await found.purses(owner)
    await happens(found, story, "Deposited", owner=owner, amount=10)
    moves = [transfer("f1", purse, spared, 4), transfer("f2", purse, taken, 3)]
    await found.store.ledger.require(moves)
    automations = found.store.automations
    for agent in found.agents[owner]:
        await automations.put(agent, LIMITS)
        await automations.turn_on(agent)
    request = {"owner": owner, "amount": 4, "total": 4, "ready_at": 0}
    await happens(found, story, "WithdrawalRequested", **request)
    rows = [await automations.get(agent) for agent in found.agents[owner]]
    assert [row and row.state for row in rows] == ["stopped", "on"], "three were the owner's own"
    assert rows[0] is not None
    assert "asked back" in (rows[0].reason or "")


@pytest.mark.parametrize("amount", [LARGEST_MICROS + 1, 2**63, 2**64 - 1])
async def test_amounts_that_no_money_stands_behind_hold_nothing_up(
    found: Follow, story: Story, amount: int
) -> None:
    owner = OWNERS[0]
    await happens(found, story, "Deposited", owner=owner, amount=amount)
    request = {"owner": owner, "amount": amount, "total": amount, "ready_at": 2**64 - 1}
    await happens(found, story, "WithdrawalRequested", **request)
    most = {"max_entry": amount, "daily_cap": amount, "expires": amount, "nonce": amount}
    await happens(found, story, "LimitsSet", owner=owner, **most)
    await happens(found, story, "Deposited", owner=owner, amount=1)
    assert await held(found) == 1
    assert {kind for kind, _ in found.alarms} == {"too-much"}
    await undone(found, story, 4)
    assert await held(found) == 0


async def test_many_large_deposits_are_counted_as_far_as_the_ledger_can(
    found: Follow, story: Story
) -> None:
    for _ in range(50):
        story.tell("Deposited", owner=OWNERS[0], amount=LARGEST_MICROS)
    await found.read(story, 50)
    counted = MOST_MICROS // LARGEST_MICROS
    assert await held(found) == counted * LARGEST_MICROS
    await undone(found, story, 50)
    assert await held(found) == 0
    await happens(found, story, "Deposited", owner=OWNERS[0], amount=5)
    assert await found.store.ledger.audit() == []


async def test_logs_of_others_are_passed_over_and_counted(found: Follow, story: Story) -> None:
    other = bytes(32)
    await happens(found, story, "Opened", session=other, entry=1, owners=(STRANGER, OWNERS[0]))
    roots = {"result_root": other, "payout_root": other, "settled": 2, "allotted": 2}
    await happens(found, story, "EpochClosed", epoch=1, sessions=(other,), **roots)
    assert [kind for kind, _ in found.alarms] == ["foreign", "foreign"]
    assert await held(found) == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
async def test_many_stories(two_urls: list[str], seed: int) -> None:
    async with follow(two_urls[0]) as first, follow(two_urls[1]) as scratch:
        await check_seed(seed, 60, first, scratch, disturbed=seed % 3 > 0)


async def test_an_owner_of_thousands_of_requests_can_cancel_them(
    found: Follow, story: Story
) -> None:
    """More than a database takes as parameters of one statement."""
    account = await found.store.accounts.of_wallet(OWNERS[0])
    assert account is not None
    row = {"account": account.account, "direction": "withdrawal", "asset": "usdc", "micros": 1}
    row |= {"state": "pending", "wallet": OWNERS[0], "made_ms": 0, "changed_ms": 0}
    async with found.store.database.writing() as tx:
        rows = [row | {"id": f"01J{number:023d}"} for number in range(33_000)]
        await tx.execute(money.crossing.insert(), rows)
    await happens(found, story, "WithdrawalCancelled", owner=OWNERS[0], amount=33_000)
    c = money.crossing
    async with found.store.database.reading() as tx:
        left = await tx.scalar(select(func.count()).where(c.c.state == "pending"))
    assert left == 0


async def test_a_change_of_mind_in_one_block_is_none(found: Follow, story: Story) -> None:
    owner = OWNERS[0]
    await happens(found, story, "Deposited", owner=owner, amount=10)
    request = {"owner": owner, "amount": 1, "total": 1, "ready_at": 0}
    back = Event("WithdrawalCancelled", {"owner": owner, "amount": 1})
    story.tell_all(*[Event("WithdrawalRequested", request), back] * 50)
    await found.read(story, len(story.blocks) - 1)
    assert await states(found, owner) == [("deposit", 10, "confirmed")]
    story.tell_all(
        *[Event("WithdrawalRequested", request)] * 5,
        Event("Deposited", {"owner": owner, "amount": 1}),
    )
    await found.read(story, len(story.blocks) - 1)
    assert await states(found, owner) == [
        ("deposit", 1, "confirmed"),
        ("deposit", 10, "confirmed"),
        ("withdrawal", 5, "pending"),
    ]
    assert await owned(found, owner) == (11, 5)
    await undone(found, story)
    assert await owned(found, owner) == (10, 0)
    assert await found.store.ledger.audit() == []


async def test_what_opened_a_session_is_found_by_an_index(found: Follow) -> None:
    """Of all logs there are it took seconds, for each refund that a reorganisation takes back."""
    query = select(chain.chain_log.c.tx).where(chain.chain_log.c.topics.in_(["a", "b"]))
    async with found.store.database.reading() as tx:
        if not found.store.database.is_sqlite:
            await tx.exec_driver_sql("SET LOCAL enable_seqscan = off")
        told = await tx.execute(
            text(
                f"EXPLAIN {'QUERY PLAN' if found.store.database.is_sqlite else ''} {query.compile(compile_kwargs={'literal_binds': True})}"
            )
        )
        assert "ix_chain_log_topics" in str(told.all())
