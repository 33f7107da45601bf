from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.automation import Automation, InvalidLimits, LimitReached, Limits, Run
from server.identity import Identity
from server.ledger import names
from server.live.records import TicketRecord
from server.store import Store, automations, money, open_store
from server.store.automations import NoAutomation, RunUnderWay
from server.store.engine import Database

NOW_MS = 1_800_000_000_000
DOLLAR = 1_000_000
LIMITS = Limits(
    tier_micros=DOLLAR,
    spaces=("logic",),
    max_sessions=10,
    max_parallel=3,
    stop_loss_micros=4 * DOLLAR,
    take_profit_micros=2 * DOLLAR,
)


@pytest.fixture
async def agent(store: Store) -> str:
    identity: Identity = (await store.agents.register("Ember"))[0]
    return identity.agent


@pytest.fixture
async def second(store: Store, store_url: str) -> AsyncIterator[Store]:
    """The same records, opened by what might be another process."""
    opened = await open_store(store_url)
    yield opened
    await opened.close()


class Desk:
    """Enters, releases and settles for one agent, a transaction each, as the ledger's callers do."""

    def __init__(self, store: Store, agent: str) -> None:
        self.db: Database = store.database
        self.agent = agent

    async def admit(self, tx: AsyncConnection, micros: int, run: int | None = None) -> int | None:
        asset = "usdc" if micros else "play"
        return await automations.admit(
            self.db,
            tx,
            agent=self.agent,
            space="logic",
            tier_micros=micros,
            asset=asset,
            micros=micros or DOLLAR,
            now_ms=NOW_MS,
            run=run,
        )

    async def enter(self, micros: int = DOLLAR, run: int | None = None) -> int | None:
        async with self.db.writing() as tx:
            return await self.admit(tx, micros, run)

    async def release(self, run: int | None, micros: int = DOLLAR) -> None:
        async with self.db.writing() as tx:
            await automations.released(
                self.db, tx, agent=self.agent, run=run, micros=micros, now_ms=NOW_MS
            )

    async def settle(self, run: int | None, won: int, micros: int = DOLLAR) -> None:
        async with self.db.writing() as tx:
            await automations.settled(
                self.db,
                tx,
                agent=self.agent,
                run=run,
                micros=micros,
                won_micros=won,
                now_ms=NOW_MS,
            )


@pytest.fixture
async def desk(store: Store, agent: str) -> Desk:
    """Of an agent whose automation is on."""
    await store.automations.put(agent, LIMITS)
    await store.automations.turn_on(agent)
    return Desk(store, agent)


async def hold(store: Store, agent: str, ticket: str) -> None:
    """Queue it in the free tier under a name."""
    record = TicketRecord(
        ticket=ticket,
        space="logic",
        tier_micros=0,
        agent=agent,
        version=f"{agent}@v1",
        name="Ember",
        owner="o",
        mu_milli=25_000,
        sigma_milli=8_333,
        joined_ms=NOW_MS,
    )
    await store.entries.hold(record)


async def standing(store: Store, agent: str) -> Automation:
    found = await store.automations.get(agent)
    assert found is not None
    return found


async def test_limits_are_set_before_it_is_turned_on(store: Store, agent: str) -> None:
    assert await store.automations.get(agent) is None
    with pytest.raises(NoAutomation):
        await store.automations.turn_on(agent)
    made = await store.automations.put(agent, LIMITS)
    assert (made.state, made.limits, made.run.number, made.reason) == ("off", LIMITS, 0, None)
    on = await store.automations.turn_on(agent)
    assert (on.state, on.run.number) == ("on", 1)
    assert await store.automations.turn_on(agent) == on, "it goes on"
    off = await store.automations.turn_off(agent)
    assert (off.state, off.run.number) == ("off", 1)


async def test_limits_that_make_no_sense_are_not_kept(store: Store, agent: str) -> None:
    with pytest.raises(InvalidLimits):
        await store.automations.put(agent, msgspec.structs.replace(LIMITS, stop_loss_micros=1))
    assert await store.automations.get(agent) is None


async def test_no_automation_limits_nothing(store: Store, agent: str) -> None:
    desk = Desk(store, agent)
    assert await desk.enter(25 * DOLLAR) is None
    await store.automations.put(agent, LIMITS)
    assert await desk.enter(25 * DOLLAR) is None, "it is off"
    await desk.settle(None, 0)
    await desk.release(None)
    assert (await standing(store, agent)).run.begun == 0


async def test_an_entry_is_counted_from_its_hold_to_its_settlement(
    store: Store, agent: str, desk: Desk
) -> None:
    assert await desk.enter() == 1
    assert await desk.enter() == 1
    run = (await standing(store, agent)).run
    assert (run.begun, run.open, run.at_risk_micros, run.profit_micros) == (2, 2, 2 * DOLLAR, 0)
    await desk.settle(1, 1_900_000)
    run = (await standing(store, agent)).run
    assert (run.begun, run.open, run.at_risk_micros, run.profit_micros) == (2, 1, DOLLAR, 900_000)
    await desk.release(1)
    run = (await standing(store, agent)).run
    assert (run.begun, run.open, run.at_risk_micros, run.profit_micros) == (1, 0, 0, 900_000)


async def test_a_refused_entry_is_not_counted(store: Store, agent: str, desk: Desk) -> None:
    for _ in range(3):
        await desk.enter()
    with pytest.raises(LimitReached, match="parallel limit reached: 3 open of at most 3"):
        await desk.enter()
    found = await standing(store, agent)
    assert (found.state, found.run.begun) == ("on", 3), "another time it may"


async def test_a_hold_that_comes_to_nothing_is_not_counted(
    store: Store, agent: str, desk: Desk
) -> None:
    with pytest.raises(RuntimeError):  # noqa: PT012 - the transaction as a whole is what fails
        async with desk.db.writing() as tx:
            await desk.admit(tx, DOLLAR)
            raise RuntimeError("no money")
    assert (await standing(store, agent)).run.begun == 0


async def test_it_stops_at_the_stop_loss_and_says_so(store: Store, agent: str, desk: Desk) -> None:
    for _ in range(4):
        await desk.enter()
        await desk.settle(1, 0)
    found = await standing(store, agent)
    assert (found.state, found.reason) == (
        "stopped",
        "stop-loss reached: lost 4.00 of at most 4.00 USDC",
    )
    with pytest.raises(LimitReached, match="has stopped"):
        await (
            desk.enter()
        )  # a bot that queues in a loop must not lose on what the stop-loss has saved
    await store.automations.turn_off(agent)
    assert await desk.enter() is None, "by hand, at one's own risk"


async def test_it_stops_at_the_take_profit_while_others_are_open(
    store: Store, agent: str, desk: Desk
) -> None:
    for _ in range(3):
        await desk.enter()
    await desk.settle(1, 3 * DOLLAR)
    found = await standing(store, agent)
    assert (found.state, found.reason) == (
        "stopped",
        "take-profit reached: won 2.00 of 2.00 USDC",
    )
    await desk.settle(1, 0)
    await desk.settle(1, 0)
    found = await standing(store, agent)
    assert (found.state, found.run.profit_micros, found.run.open) == ("stopped", 0, 0)
    assert found.reason is not None
    assert "take-profit" in found.reason


async def test_it_stops_after_the_last_session_is_settled(
    store: Store, agent: str, desk: Desk
) -> None:
    await store.automations.put(agent, msgspec.structs.replace(LIMITS, max_sessions=2))
    await desk.enter()
    await desk.enter()
    await desk.settle(1, DOLLAR)
    assert (await standing(store, agent)).state == "on"
    await desk.settle(1, DOLLAR)
    found = await standing(store, agent)
    assert found.reason == "session limit reached: 2 begun of at most 2"


async def test_leaving_the_queue_can_end_a_run(store: Store, agent: str, desk: Desk) -> None:
    for _ in range(3):
        await desk.enter()
        await desk.settle(1, 0)
    await store.automations.put(agent, msgspec.structs.replace(LIMITS, stop_loss_micros=4 * DOLLAR))
    half = 500_000
    await desk.enter(half)
    await desk.enter(half)
    await desk.settle(1, 0, half)
    assert (await standing(store, agent)).state == "on", "the other half may come back"
    await desk.release(1, half)
    found = await standing(store, agent)
    assert found.reason == (
        "stop-loss reached: lost 3.50 of at most 4.00 USDC, and an entry costs 1.00"
    )


async def test_a_new_run_takes_over_what_is_open_whoever_entered_it(
    store: Store, agent: str
) -> None:
    """Turning it off and on must not shed a limit."""
    limits = msgspec.structs.replace(LIMITS, tier_micros=0, max_parallel=3)
    await store.automations.put(agent, limits)
    await store.automations.turn_on(agent)
    await hold(store, agent, "a")
    await hold(store, agent, "b")
    await store.automations.turn_off(agent)
    await hold(store, agent, "by-hand")
    off = (await standing(store, agent)).run
    assert (off.open, off.at_risk_micros) == (2, 2 * DOLLAR), "what was open is still told"
    fresh = (await store.automations.turn_on(agent)).run
    assert fresh == Run(2, "play", begun=0, open=3, at_risk_micros=3 * DOLLAR)
    with pytest.raises(LimitReached, match="parallel limit reached: 3 open of at most 3"):
        await hold(store, agent, "c")
    await store.entries.release("by-hand")
    await hold(store, agent, "c")
    assert (await standing(store, agent)).run == Run(
        2, "play", begun=1, open=3, at_risk_micros=3 * DOLLAR
    )
    for ticket in "abc":
        await store.entries.release(ticket)
    assert (await standing(store, agent)).run == Run(2, "play")


async def test_what_was_taken_over_is_lost_or_won_in_the_new_run(store: Store, agent: str) -> None:
    limits = msgspec.structs.replace(LIMITS, tier_micros=0, stop_loss_micros=2 * DOLLAR)
    await store.automations.put(agent, limits)
    await hold(store, agent, "a")
    await hold(store, agent, "b")
    await store.automations.turn_on(agent)
    desk = Desk(store, agent)
    for row in await store.entries.of_agent(agent):
        await desk.settle(row.counts_in, 0, row.micros)
    found = await standing(store, agent)
    assert (found.run.open, found.run.profit_micros) == (0, -2 * DOLLAR)
    assert found.reason == "stop-loss reached: lost 2.00 of at most 2.00 play dollars"


async def test_what_is_open_in_the_other_asset_is_not_taken_over(store: Store, agent: str) -> None:
    await store.automations.put(agent, LIMITS)
    await hold(store, agent, "free")
    assert (await store.automations.turn_on(agent)).run == Run(1, "usdc")
    await store.entries.release("free")
    assert (await standing(store, agent)).run == Run(1, "usdc")


async def test_entries_by_hand_are_refused_once_it_has_stopped(store: Store, agent: str) -> None:
    await store.automations.put(agent, msgspec.structs.replace(LIMITS, tier_micros=0))
    await store.automations.turn_on(agent)
    await store.automations.stop(agent, 1, "enough")
    with pytest.raises(LimitReached, match=r"has stopped \(enough\)"):
        await hold(store, agent, "by-hand")
    assert await store.entries.of_agent(agent) == []


async def test_no_entry_slips_in_while_it_is_being_turned_on(
    store: Store, second: Store, agent: str
) -> None:
    """Entries by hand, and the owner who turns it on and off, from two processes at once: what is open is counted to the last
    entry each time that it is on."""
    limits = msgspec.structs.replace(
        LIMITS, tier_micros=0, max_sessions=100, max_parallel=100, stop_loss_micros=500 * DOLLAR
    )
    await store.automations.put(agent, limits)

    async def switch() -> None:
        for _ in range(6):
            await second.automations.turn_on(agent)
            await asyncio.sleep(0.01)
            await second.automations.turn_off(agent)
        await second.automations.turn_on(agent)

    async def player(number: int) -> None:
        for turn in range(4):
            await hold(store, agent, f"t{number}.{turn}")
            if turn % 2:
                await store.entries.release(f"t{number}.{turn}")

    await asyncio.gather(switch(), *(player(number) for number in range(6)))
    found, rows = await standing(store, agent), await store.entries.of_agent(agent)
    assert len(rows) == 12
    assert (found.run.open, found.run.at_risk_micros) == (12, sum(row.micros for row in rows))
    assert {row.counts_in for row in rows} == {found.run.number}
    for row in rows:
        await store.entries.release(row.ticket)
    assert (await standing(store, agent)).run == Run(found.run.number, "play")


async def test_an_entry_that_found_no_automation_is_open_before_there_is_one_to_turn_on(
    store: Store, second: Store, agent: str
) -> None:
    """The first limits are set, and turned on, between an entry's look at the automation and its end."""
    await hold(store, agent, "opens-the-purse")
    await store.entries.release("opens-the-purse")
    purse = select(money.ledger_account.c.id).where(
        money.ledger_account.c.id == names.agent("play", agent)
    )
    limits = msgspec.structs.replace(LIMITS, tier_micros=0, max_parallel=1)

    async def turn_on() -> None:
        await second.automations.put(agent, limits)
        await second.automations.turn_on(agent)

    async with second.database.writing() as tx:
        await tx.execute(purse.with_for_update())
        by_hand = asyncio.create_task(hold(store, agent, "by-hand"))
        await asyncio.sleep(0.2)
        turning = asyncio.create_task(turn_on())
        await asyncio.wait({turning}, timeout=0.3)
    await asyncio.gather(by_hand, turning)
    run = (await standing(store, agent)).run
    assert (run.number, run.open, run.at_risk_micros) == (1, 1, DOLLAR)
    with pytest.raises(LimitReached, match="parallel limit reached: 1 open of at most 1"):
        await hold(second, agent, "one-too-many")


async def test_the_automations_own_entry_needs_its_own_run(
    store: Store, agent: str, desk: Desk
) -> None:
    assert await desk.enter(run=1) == 1
    await store.automations.turn_off(agent)
    with pytest.raises(LimitReached, match="run has ended"):
        await desk.enter(run=1)
    await store.automations.turn_on(agent)
    with pytest.raises(LimitReached, match="run has ended"):
        await desk.enter(run=1)
    assert await desk.enter(run=2) == 2


async def test_tightened_limits_hold_at_once(store: Store, agent: str, desk: Desk) -> None:
    await desk.enter()
    await desk.settle(1, 0)
    await store.automations.put(agent, msgspec.structs.replace(LIMITS, max_sessions=1))
    found = await standing(store, agent)
    assert (found.state, found.reason) == ("stopped", "session limit reached: 1 begun of at most 1")


async def test_a_run_counts_in_one_asset(store: Store, agent: str, desk: Desk) -> None:
    free = msgspec.structs.replace(LIMITS, tier_micros=0)
    with pytest.raises(RunUnderWay, match="counts in usdc"):
        await store.automations.put(agent, free)
    await store.automations.turn_off(agent)
    await store.automations.put(agent, free)
    assert (await standing(store, agent)).run.asset == "usdc", "the run that was"
    await store.automations.turn_on(agent)
    assert await desk.enter(0) == 2
    assert (await standing(store, agent)).run.asset == "play"


async def test_it_is_stopped_for_other_reasons_in_its_run_alone(
    store: Store, agent: str, desk: Desk
) -> None:
    assert not await store.automations.stop(agent, 0, "of an earlier run")
    assert await store.automations.stop(agent, 1, "the agent is archived")
    assert not await store.automations.stop(agent, 1, "again")
    found = await standing(store, agent)
    assert (found.state, found.reason) == ("stopped", "the agent is archived")


async def test_no_race_exceeds_a_limit(store: Store, second: Store, agent: str) -> None:
    """Forty tasks of two processes enter, leave and settle at once, each step a transaction of its own."""
    limits = msgspec.structs.replace(
        LIMITS,
        max_sessions=30,
        max_parallel=5,
        stop_loss_micros=9 * DOLLAR,
        take_profit_micros=None,
    )
    await store.automations.put(agent, limits)
    await store.automations.turn_on(agent)
    desks, chance = [Desk(store, agent), Desk(second, agent)], random.Random(7)
    refused: list[str] = []

    async def play(desk: Desk, won: int, leaves: bool) -> None:
        try:
            run = await desk.enter()
        except LimitReached as error:
            refused.append(str(error))
            return
        if run is None:  # it has stopped, so that this entry is the owner's own
            return
        found = await standing(store, agent)
        assert found.run.open <= 5
        assert found.run.begun <= 30
        assert found.run.at_risk_micros - found.run.profit_micros <= 9 * DOLLAR
        await (desk.release(run) if leaves else desk.settle(run, won))

    async def player(desk: Desk) -> None:
        for _ in range(3):
            await play(desk, chance.choice((0, 0, 1_900_000)), chance.random() < 0.1)

    await asyncio.gather(*(player(desks[number % 2]) for number in range(40)))
    found = await standing(store, agent)
    assert refused, "the limits were pressed"
    assert (found.run.open, found.run.at_risk_micros) == (0, 0), "nothing is counted twice or lost"
    assert found.run.begun <= 30
    assert found.run.profit_micros >= -9 * DOLLAR


async def test_the_last_place_is_given_once(store: Store, second: Store, agent: str) -> None:
    await store.automations.put(agent, msgspec.structs.replace(LIMITS, max_parallel=1))
    await store.automations.turn_on(agent)
    desks = [Desk(store, agent), Desk(second, agent)]
    tried = (desks[number % 2].enter() for number in range(24))
    outcomes = await asyncio.gather(*tried, return_exceptions=True)
    assert outcomes.count(1) == 1
    assert sum(isinstance(each, LimitReached) for each in outcomes) == 23
