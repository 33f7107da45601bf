"""Where the money is when an admin voids a session or freezes an agent, on both databases."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis
from sqlalchemy import select

from server.admin import Acts, Refused
from server.admin.voiding import turn_ended
from server.automation import Limits
from server.clock import unix_ms
from server.entering import Entrance, EntryRefused
from server.identity import Identity, new_id
from server.jobs.settle import SettleStep
from server.leaving import Leaving
from server.ledger import Transfer, names
from server.live.queue import Queues
from server.store import Store, money, schema
from server.store.purses import AgentFrozen
from server.store.results import Voided
from tests.server.circuit import Untold
from tests.server.money_world import SPACE, TIER, available, balance, funded, session_of, ticket_of


@pytest.fixture
async def ann(store: Store) -> Identity:
    return await funded(store, "Ann")


@pytest.fixture
async def ben(store: Store) -> Identity:
    return await funded(store, "Ben")


async def ended(store: Store, *agents: Identity) -> str:
    """A session whose entries are in its pot and which waits to be settled."""
    tickets = [ticket_of(agent) for agent in agents]
    for ticket in tickets:
        await store.entries.hold(ticket)
    record = session_of(tickets)
    await store.sessions.form(record)
    await store.sessions.seal(
        session=record.session,
        status="ended",
        outcome={"termination": "line", "returns": [1, -1]},
        document=b"{}",
        digest="d" * 64,
        steps=("settle", "rate"),
        now_ms=1,
    )
    return record.session


async def test_a_void_and_a_settlement_at_once_end_as_one_of_the_two(
    store: Store, ann: Identity, ben: Identity
) -> None:
    """Whoever comes first; never a session that is void and paid out, or scored and refunded."""
    acts, outcomes = Acts(store), set()
    for number in range(12):
        session = await ended(store, ann, ben)
        first = (number % 3) / 200

        async def settle(session: str = session, wait_s: float = first) -> str:
            await asyncio.sleep(wait_s)
            try:
                return (await store.results.settle(session, (1, 2), (1_000, -1_000))).status
            except Voided:
                return (await store.results.void(session, "voided")).status

        async def void(session: str = session, wait_s: float = 0.01 - first) -> str:
            await asyncio.sleep(wait_s)
            try:
                await acts.void(session, actor="boss", reason="a race")
            except Refused as refused:
                return refused.code
            return "voided"

        status, said = await asyncio.gather(settle(), void())
        row = await store.sessions.get(session)
        assert row is not None
        assert (status, said, row.status) in (
            ("settled", "already-settled", "ended"),
            ("void", "voided", "void"),
        )
        outcomes.add(status)
        assert await store.ledger.audit() == []
        pot = await store.ledger.account(names.pot("usdc", session))
        assert pot.balance_micros == 0
    assert outcomes, "something came of it"
    paid = await balance(store, ann) + await balance(store, ben)
    fees = [await store.ledger.account(names.fees("usdc", pool)) for pool in names.POOLS]
    assert paid + sum(fee.balance_micros for fee in fees) == 20 * TIER


async def test_a_settlement_that_nothing_has_stopped_stands(
    store: Store, ann: Identity, ben: Identity
) -> None:
    session = await ended(store, ann, ben)
    await store.results.settle(session, (1, 2), (1_000, -1_000))
    with pytest.raises(Refused, match="has been settled"):
        await Acts(store).void(session, actor="boss", reason="too late")
    row = await store.sessions.get(session)
    assert row is not None
    assert row.status == "ended"


async def test_a_voided_session_gives_every_entry_back(
    store: Store, ann: Identity, ben: Identity
) -> None:
    session = await ended(store, ann, ben)
    assert await balance(store, ann) == 9 * TIER
    found = await Acts(store).void(session, actor="boss", reason="the rules were wrong")
    assert (found.was, found.given_up) == ("ended", ["rate"])
    assert not await turn_ended(store.database, session, "again", unix_ms())
    with pytest.raises(Voided):
        await store.results.settle(session, (1, 2), (1_000, -1_000))
    result = await store.results.void(session, "voided by the arena: the rules were wrong")
    assert (result.status, result.pot_micros) == ("void", 2 * TIER)
    assert [await balance(store, each) for each in (ann, ben)] == [10 * TIER] * 2
    assert await store.ledger.audit() == []
    states = {each.step: each.state for each in await store.outbox.steps(session)}
    assert (states["settle"], states["rate"]) == ("done", "void")


async def test_a_last_attempt_that_is_overtaken_by_a_void_gives_the_entries_back(
    store: Store, ann: Identity, ben: Identity
) -> None:
    """Or they would lie in the pot until somebody drives the dead letter again."""
    session = await ended(store, ann, ben)
    seen = await store.sessions.get(session)
    assert seen is not None
    await Acts(store).void(session, actor="boss", reason="the rules were wrong")
    step = SettleStep(store=store, aftermath=Untold())
    result = await step._settle(seen)
    assert (result.status, result.reason) == ("void", "voided by the arena: the rules were wrong")
    assert [await balance(store, each) for each in (ann, ben)] == [10 * TIER] * 2


async def test_a_freeze_does_not_wait_for_a_hold_that_waits_for_its_automation(
    store: Store, ann: Identity
) -> None:
    """On PostgreSQL the hold's row refers to the agent's while the automation is locked: the two would wait
    for each other."""
    if store.database.is_sqlite:
        pytest.skip("there is one writer")
    async with store.database.writing() as tx:
        await tx.execute(
            select(schema.agent.c.id)
            .where(schema.agent.c.id == ann.agent)
            .with_for_update(read=True, key_share=True)  # as a foreign key does
        )
        async with asyncio.timeout(5):
            await Acts(store).freeze(ann.agent, actor="boss", reason="a look at it")


class Arena:
    """The queues, and who takes out of them."""

    def __init__(self, store: Store, redis: Redis) -> None:
        self.queues = Queues(redis, tiers_open=(0, TIER))
        self.entrance = Entrance(
            entries=store.entries,
            queues=self.queues,
            rating_of=store.ratings.current,
            tiers_open=(0, TIER),
            clock=unix_ms,
        )
        self.leaving = Leaving(entries=store.entries, leave=self.entrance.leave)

    async def waiting(self) -> int:
        return sum(card.waiting for card in await self.queues.sizes())


async def test_a_frozen_agent_is_taken_out_of_the_queues_and_does_not_come_back(
    store: Store, redis: Redis, ann: Identity, ben: Identity
) -> None:
    arena, acts = Arena(store, redis), Acts(store)
    for agent, tier in ((ann, TIER), (ann, 0), (ben, TIER)):
        await arena.entrance.enter(agent, SPACE, tier)
    assert await available(store, ann) == 9 * TIER
    await acts.freeze(ann.agent, actor="boss", reason="sells its seats")
    await arena.leaving.sweep()
    await arena.leaving.sweep()
    assert await available(store, ann) == 10 * TIER
    assert await store.entries.of_agent(ann.agent) == []
    assert await arena.waiting() == 1, "the other one goes on waiting"
    with pytest.raises(EntryRefused, match="frozen: sells its seats"):
        await arena.entrance.enter(ann, SPACE, TIER)
    assert await store.ledger.audit() == []
    await acts.unfreeze(ann.agent, actor="boss", reason="it was its twin")
    await arena.entrance.enter(ann, SPACE, TIER)
    await arena.leaving.sweep()
    assert await arena.waiting() == 2


async def test_what_comes_into_a_queue_after_its_run_has_ended_is_taken_out(
    store: Store, redis: Redis, ann: Identity
) -> None:
    """Held while the run was on; it is off, and its tickets taken out, before this one is in the queue."""
    arena = Arena(store, redis)
    limits = Limits(
        tier_micros=TIER, spaces=(SPACE,), max_sessions=9, max_parallel=3, stop_loss_micros=9 * TIER
    )
    await store.automations.put(ann.agent, limits)
    await store.automations.turn_on(ann.agent)
    late = ticket_of(ann)
    await store.entries.hold(late)
    await arena.leaving.sweep()
    await store.automations.turn_off(ann.agent)
    await arena.leaving.sweep()
    assert len(await store.entries.of_agent(ann.agent)) == 1, "it may be on its way to a seat"
    await arena.queues.enqueue(late)
    await arena.leaving.sweep()
    assert await store.entries.of_agent(ann.agent) == []
    assert await arena.waiting() == 0
    by_hand = await arena.entrance.enter(ann, SPACE, TIER)
    await arena.leaving.sweep()
    await store.automations.turn_on(ann.agent)
    await store.automations.turn_off(ann.agent)
    await arena.leaving.sweep()
    [stays] = await store.entries.of_agent(ann.agent)
    assert stays.ticket == by_hand.ticket, "it was never the automation's"


async def test_no_stream_of_transfers_keeps_a_freeze_waiting(
    store: Store, ann: Identity, ben: Identity
) -> None:
    """Each begins before the one before it is over; those that come after the freeze are behind it."""
    acts, purse = Acts(store), money.ledger_account
    first = select(purse.c.id).where(purse.c.id == names.agent("usdc", ann.agent))

    async def move() -> None:
        moved = Transfer(
            id=f"fund:{new_id()}",
            debit=names.agent("usdc", ann.agent),
            credit=names.agent("usdc", ben.agent),
            asset="usdc",
            micros=TIER,
            code="fund",
        )
        await store.purses.move(moved, ann.agent)

    async with store.database.writing() as tx:
        await tx.execute(first.with_for_update())
        before = asyncio.create_task(move())
        await asyncio.sleep(0.1)
        freeze = asyncio.create_task(acts.freeze(ann.agent, actor="boss", reason="won wrongly"))
        await asyncio.sleep(0.1)
        after = [asyncio.create_task(move()) for _ in range(3)]
        await asyncio.sleep(0.1)
    await asyncio.gather(before, freeze)
    for late in await asyncio.gather(*after, return_exceptions=True):
        assert isinstance(late, AgentFrozen)
    assert await available(store, ann) == 9 * TIER


async def test_an_archived_agent_is_taken_out_as_well(
    store: Store, redis: Redis, ann: Identity
) -> None:
    arena = Arena(store, redis)
    await arena.entrance.enter(ann, SPACE, TIER)
    await store.owned.archive(ann.agent)
    await arena.leaving.sweep()
    assert await available(store, ann) == 10 * TIER
    assert await arena.waiting() == 0
