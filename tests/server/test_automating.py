"""The loop on a real store and a real Redis, with sessions that end as the test says."""

from __future__ import annotations

import asyncio
import itertools

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from sqlalchemy import update

from server.admin import Acts
from server.automating import AGAIN_MS, CLAIM_MS, DAY_MOST_MS, MEND_MS, Automating
from server.automation import MISSES_MAX, REST_MS, Automation, Limits
from server.entering import Entrance, EntryRefused, Holds
from server.identity import Identity
from server.live import keys
from server.live.agents import AgentChannels
from server.live.log import LiveLog
from server.live.queue import AlreadyQueued, Queues
from server.live.records import TicketRecord
from server.metrics import Metrics
from server.protocol import AgentView, AutomationCard, Ticket
from server.store import Store, automations, money, schema
from server.weekly import Schedule, Window

NOW_MS = 1_800_000_000_000
"""A Friday, 08:00 UTC."""
LIMITS = Limits(
    tier_micros=0,
    spaces=("bid-tac-toe", "logic", "writing"),
    max_sessions=9,
    max_parallel=2,
    stop_loss_micros=5_000_000,
)


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


class Door:
    """The real entrance, which notes who came and refuses when it is told to."""

    def __init__(self, store: Store, redis: Redis, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.queues = Queues(redis, clock=clock)
        self.entrance = Entrance(
            entries=store.entries,
            queues=self.queues,
            rating_of=store.ratings.current,
            tiers_open=(0,),
            clock=clock,
        )
        self.entered: list[tuple[str, str]] = []
        self.refusals: list[Exception] = []
        self.most_at_once = 0
        self.inside = 0

    async def enter(
        self, identity: Identity, space: str, tier_micros: int, *, run: int | None = None
    ) -> TicketRecord:
        if self.refusals:
            raise self.refusals.pop(0)
        self.inside += 1
        self.most_at_once = max(self.most_at_once, self.inside)
        try:
            ticket = await self.entrance.enter(identity, space, tier_micros, run=run)
        finally:
            self.inside -= 1
        self.entered.append((identity.agent, space))
        return ticket

    async def leave(self, ticket: str, agent: str) -> Ticket:
        return await self.entrance.leave(ticket, agent)

    async def miss(self, agent: str) -> None:
        """The agent confirms none of the seats that it waits for."""
        for row in await self.store.entries.of_agent(agent):
            await self.queues.dequeue(row.ticket, agent)
            await Holds(entries=self.store.entries, queues=self.queues, clock=self.clock).released(
                [row.ticket]
            )

    async def settle(self, agent: str, won_micros: int) -> None:
        """All that it waits for is played, and settled with these winnings each."""
        h, db = money.hold, self.store.database
        for row in await self.store.entries.of_agent(agent):
            await self.queues.dequeue(row.ticket, agent)
            async with db.writing() as tx:
                await automations.settled(
                    db,
                    tx,
                    agent=agent,
                    run=row.counts_in,
                    micros=row.micros,
                    won_micros=won_micros,
                    now_ms=self.clock(),
                )
                done = update(h).where(h.c.ticket == row.ticket)
                await tx.execute(done.values(state="settled", session="s"))


class Arena:
    def __init__(self, store: Store, redis: Redis, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.log = LiveLog(redis)
        self.metrics = Metrics(CollectorRegistry())
        self.door = Door(store, redis, clock)
        self.loop = self.automating(redis)
        self.redis = redis

    def automating(self, redis: Redis, name: str = "one") -> Automating:
        return Automating(
            name=name,
            redis=redis,
            work=self.store.due_automations,
            automations=self.store.automations,
            entrance=self.door,
            channels=AgentChannels(redis, self.log, self.clock),
            metrics=self.metrics,
            clock=self.clock,
            every_s=0.02,
        )

    async def agent(self, name: str, limits: Limits = LIMITS) -> str:
        """Whose automation is on."""
        identity, _ = await self.store.agents.register(name)
        await self.store.automations.put(identity.agent, limits)
        await self.store.automations.turn_on(identity.agent)
        return identity.agent

    async def standing(self, agent: str) -> Automation:
        found = await self.store.automations.get(agent)
        assert found is not None
        return found

    async def rounds(self, count: int, *, step_ms: int = 1_000) -> None:
        for _ in range(count):
            await self.loop.round()
            self.clock.now_ms += step_ms

    def counted(self, answer: str) -> float:
        values = {"answer": answer}
        found = self.metrics.registry.get_sample_value("agon_automation_entries_total", values)
        return found or 0.0

    async def view(self, agent: str) -> AgentView:
        head = await self.log.head(keys.agent_channel(agent))
        assert head is not None
        assert head.views is not None
        assert isinstance(head.views.public, AgentView)
        return head.views.public


@pytest.fixture
async def arena(store: Store, redis: Redis) -> Arena:
    clock = Clock()
    store.automations._clock = store.entries._clock = clock
    return Arena(store, redis, clock)


async def test_it_enters_the_spaces_in_rotation_up_to_the_parallel_limit(arena: Arena) -> None:
    ember = await arena.agent("Ember")
    await arena.rounds(5)
    assert arena.door.entered == [(ember, "bid-tac-toe"), (ember, "logic")]
    await arena.door.settle(ember, 1_000_000)
    await arena.rounds(3)
    assert [space for _, space in arena.door.entered[2:]] == ["writing", "bid-tac-toe"]


async def test_it_enters_a_queue_once(arena: Arena) -> None:
    one_space = msgspec.structs.replace(LIMITS, spaces=("logic",))
    ember = await arena.agent("Ember", one_space)
    await arena.rounds(8)
    assert arena.door.entered == [(ember, "logic")], "the second place waits for the first to leave"


async def test_agents_that_are_off_or_stopped_are_left_alone(arena: Arena) -> None:
    ember, frost = await arena.agent("Ember"), await arena.agent("Frost")
    await arena.store.automations.turn_off(ember)
    await arena.store.automations.stop(frost, 1, "enough")
    await arena.rounds(3)
    assert arena.door.entered == []


async def test_it_waits_for_the_schedule_to_open(arena: Arena) -> None:
    late = Schedule((Window(("fri",), "08:01", "09:00"),))
    await arena.agent("Ember", msgspec.structs.replace(LIMITS, schedule=late))
    await arena.rounds(59)
    assert arena.door.entered == []
    await arena.rounds(3)
    assert len(arena.door.entered) == 2


async def test_an_agent_that_is_not_there_is_left_alone_longer_and_longer_and_then_stopped(
    arena: Arena,
) -> None:
    ember = await arena.agent("Ember", msgspec.structs.replace(LIMITS, max_parallel=1))
    entered_ms: list[int] = []
    for _ in range(300):
        await arena.rounds(1)
        if len(arena.door.entered) > len(entered_ms):
            entered_ms.append(arena.clock.now_ms)
            await arena.door.miss(ember)
    rests = [after - before for before, after in itertools.pairwise(entered_ms)]
    assert len(entered_ms) == MISSES_MAX
    for rest, expected in zip(rests, (1, 2, 4, 8), strict=True):
        assert expected * REST_MS <= rest <= expected * REST_MS + 3_000
    found = await arena.standing(ember)
    assert found.reason == "did not confirm its seat 5 times in a row: is its bot running?"
    await arena.store.automations.turn_on(ember)
    assert (await arena.standing(ember)).run.missed == 0


async def test_a_session_played_forgives_the_seats_missed(arena: Arena) -> None:
    ember = await arena.agent("Ember", msgspec.structs.replace(LIMITS, max_parallel=1))
    for missed in (True, True, True, True, False, True):
        await arena.rounds(1)
        await (arena.door.miss(ember) if missed else arena.door.settle(ember, 1_000_000))
        arena.clock.now_ms += 600_000
    assert len(arena.door.entered) == 6
    assert (await arena.standing(ember)).run.missed == 1


async def test_archived_and_frozen_agents_are_stopped_with_the_reason(arena: Arena) -> None:
    ember, frost = await arena.agent("Ember"), await arena.agent("Frost")
    a = schema.agent
    async with arena.store.database.writing() as tx:
        await tx.execute(update(a).where(a.c.id == ember).values(archived_ms=NOW_MS))
        frozen = {"frozen_ms": NOW_MS, "frozen_reason": "it was rude"}
        await tx.execute(update(a).where(a.c.id == frost).values(frozen))
    await arena.rounds(2)
    assert arena.door.entered == []
    assert (await arena.standing(ember)).reason == (
        "the agent is archived; take it out of the archive to let it play"
    )
    assert (await arena.standing(frost)).reason == "the agent is frozen: it was rude"
    with pytest.raises(automations.AtRest, match="it was rude"):
        await arena.store.automations.turn_on(frost)


async def test_an_admin_s_freeze_is_told_and_ends_the_run(arena: Arena) -> None:
    ember = await arena.agent("Ember")
    await arena.rounds(1)
    await Acts(arena.store, arena.clock).freeze(ember, actor="ann", reason="it was rude")
    await arena.rounds(5)
    assert len(arena.door.entered) == 1
    card = (await arena.view(ember)).automation
    assert card is not None
    assert (card.state, card.reason) == ("stopped", "the agent was frozen: it was rude")


async def test_what_waits_leaves_its_queue_although_it_is_on_again_for_other_money(
    arena: Arena,
) -> None:
    ember = await arena.agent("Ember", msgspec.structs.replace(LIMITS, max_parallel=3))
    await arena.rounds(3)
    assert len(await arena.store.entries.of_agent(ember)) == 3
    automations = arena.store.automations
    await automations.turn_off(ember)
    await automations.turn_on(ember)
    await arena.rounds(2)
    assert len(await arena.store.entries.of_agent(ember)) == 3, "the new run has taken it over"
    late = Schedule((Window(("sun",), "08:00", "09:00"),))
    paid = msgspec.structs.replace(LIMITS, tier_micros=100_000, schedule=late)
    await automations.turn_off(ember)
    await automations.put(ember, paid)
    await automations.turn_on(ember)
    await arena.rounds(2)
    assert await arena.store.entries.of_agent(ember) == []
    assert (await arena.standing(ember)).state == "on"


async def test_want_of_money_stops_it_once_nothing_is_in_play(arena: Arena) -> None:
    poor = "the agent has 0.40 USDC, an entry costs 0.50 USDC"
    ember = await arena.agent("Ember")
    await arena.rounds(1)
    arena.door.refusals = [EntryRefused("unfunded", poor)]
    await arena.rounds(1)
    assert (await arena.standing(ember)).state == "on", "what is in play may come back"
    await arena.door.settle(ember, 0)
    arena.door.refusals = [EntryRefused("unfunded", poor)]
    await arena.rounds(2)
    assert (await arena.standing(ember)).reason == poor


@pytest.mark.parametrize("code", ["tier-closed", "not-playing", "something-new"])
async def test_what_does_not_pass_stops_it_with_the_reason(arena: Arena, code: str) -> None:
    ember = await arena.agent("Ember")
    arena.door.refusals = [EntryRefused(code, "no queue takes such entries here")]
    await arena.rounds(2)
    found = await arena.standing(ember)
    assert (found.state, found.reason) == ("stopped", "no queue takes such entries here")
    assert arena.door.entered == []


@pytest.mark.parametrize(
    ("code", "wait_ms"),
    [("awaiting-claim", CLAIM_MS), ("too-few-judges", CLAIM_MS), ("limit-day", DAY_MOST_MS)],
)
async def test_what_the_chain_mends_by_itself_is_waited_for(
    arena: Arena, code: str, wait_ms: int
) -> None:
    ember = await arena.agent("Ember")
    arena.door.refusals = [EntryRefused(code, "it goes on by itself")]
    await arena.rounds(1)
    found = await arena.standing(ember)
    assert (found.state, found.due_ms) == ("on", NOW_MS + wait_ms)


async def test_spaces_that_are_not_offered_are_passed_over(arena: Arena) -> None:
    spaces = ("openspiel:gone", "logic")
    ember = await arena.agent("Ember", msgspec.structs.replace(LIMITS, spaces=spaces))
    gone = await arena.agent("Gone", msgspec.structs.replace(LIMITS, spaces=("openspiel:gone",)))
    await arena.rounds(2)
    assert arena.door.entered == [(ember, "logic")]
    assert (await arena.standing(gone)).reason == "none of its Spaces is offered here"


async def test_spaces_that_the_spec_leaves_out_are_passed_over(arena: Arena) -> None:
    ember, frost = await arena.agent("Ember"), await arena.agent("Frost")
    v = schema.agent_version
    async with arena.store.database.writing() as tx:
        for agent, spaces in ((ember, '["logic","writing"]'), (frost, '["rap-battle"]')):
            spec = f'{{"spaces":{spaces}}}'
            await tx.execute(update(v).where(v.c.agent == agent).values(spec=spec))
    await arena.rounds(3)
    assert arena.door.entered == [(ember, "logic"), (ember, "writing")]
    found = await arena.standing(frost)
    assert found.reason is not None
    assert found.reason.startswith("by its spec the agent plays none of the Spaces")


async def test_what_cannot_be_entered_just_now_is_tried_again_later(arena: Arena) -> None:
    ember = await arena.agent("Ember", msgspec.structs.replace(LIMITS, max_parallel=1))
    ticket = TicketRecord("t", ember, "Ember", "v", "o", "logic", 0, 0, 0, 0)
    arena.door.refusals = [AlreadyQueued(ticket), RuntimeError("a defect")]
    await arena.rounds(1)
    assert (len(arena.door.refusals), arena.door.entered) == (1, [])
    await arena.rounds(1)
    assert len(arena.door.refusals) == 1, "it is left alone for a moment"
    await arena.rounds(1 + AGAIN_MS // 1_000)
    assert (len(arena.door.refusals), arena.door.entered) == (0, [])
    await arena.rounds(MEND_MS // 1_000 - 5)
    assert arena.door.entered == []
    await arena.rounds(10)
    assert len(arena.door.entered) == 1
    counted = [arena.counted(answer) for answer in ("entered", "again", "failed", "stopped")]
    assert counted == [1, 1, 1, 0]


async def test_one_agents_failure_is_its_own(arena: Arena) -> None:
    for name in ("Ember", "Frost", "Gale"):
        await arena.agent(name, msgspec.structs.replace(LIMITS, max_parallel=1))
    arena.door.refusals = [RuntimeError("a defect")]
    await arena.rounds(1)
    assert len(arena.door.entered) == 2


async def test_a_run_that_ends_between_look_and_entry_enters_nothing(arena: Arena) -> None:
    ember = await arena.agent("Ember")
    [seen] = await arena.store.due_automations.due(NOW_MS, 10)
    await arena.store.automations.turn_off(ember)
    assert await arena.loop._enter(seen)
    await arena.store.automations.turn_on(ember)
    assert await arena.loop._enter(seen)
    assert arena.door.entered == []


async def test_what_becomes_due_while_one_looks_is_not_put_off(arena: Arena) -> None:
    ember = await arena.agent("Ember")
    arena.clock.now_ms += 5
    await arena.store.automations.put(ember, LIMITS)
    await arena.store.due_automations.defer([ember], NOW_MS, NOW_MS + 60_000)
    assert len(await arena.store.due_automations.due(arena.clock.now_ms, 10)) == 1


async def test_who_is_turned_off_waits_for_no_match_any_more(arena: Arena) -> None:
    agent = await arena.agent("Ember")
    await arena.rounds(2)
    assert len(await arena.store.entries.of_agent(agent)) == 2
    await arena.store.automations.turn_off(agent)
    await arena.rounds(1)
    assert await arena.store.entries.of_agent(agent) == []
    assert (await arena.standing(agent)).run.open == 0
    assert await arena.store.ledger.audit() == []


async def test_a_ticket_of_its_bot_s_own_stays_when_the_automation_is_turned_off(
    arena: Arena,
) -> None:
    identity, _ = await arena.store.agents.register("Ember")
    ticket = await arena.door.entrance.enter(identity, "bid-tac-toe", 0)
    await arena.store.automations.put(identity.agent, LIMITS)
    await arena.store.automations.turn_on(identity.agent)
    await arena.store.automations.turn_off(identity.agent)
    await arena.rounds(1)
    [row] = await arena.store.entries.of_agent(identity.agent)
    assert row.ticket == ticket.ticket


async def test_the_channel_hears_of_starts_and_stops(arena: Arena) -> None:
    ember = await arena.agent("Ember", msgspec.structs.replace(LIMITS, max_sessions=1))
    await arena.rounds(1)
    card = (await arena.view(ember)).automation
    assert card is not None
    assert (card.state, card.run, card.reason) == ("on", 1, None)
    await arena.door.settle(ember, 0)
    await arena.rounds(1)
    card = (await arena.view(ember)).automation
    assert card is not None
    assert (card.state, card.begun, card.profit_micros) == ("stopped", 1, -1_000_000)
    assert card.reason == "session limit reached: 1 begun of at most 1"
    assert await arena.store.due_automations.untold(10) == []
    await arena.store.automations.turn_on(ember)
    await arena.store.automations.turn_off(ember)
    await arena.rounds(1)
    card = (await arena.view(ember)).automation
    assert card is not None
    assert (card.state, card.run) == ("off", 2)


class Deaf(AgentChannels):
    """One agent's channel cannot be written to."""

    deaf = ""

    async def automation(self, agent: str, card: AutomationCard) -> None:
        if agent == self.deaf:
            raise RuntimeError("no such luck")
        await super().automation(agent, card)


async def test_a_channel_that_cannot_be_told_holds_up_nobody(arena: Arena) -> None:
    ember, frost = await arena.agent("Ember"), await arena.agent("Frost")
    channels = Deaf(arena.redis, arena.log, arena.clock)
    channels.deaf, arena.loop._channels = ember, channels
    await arena.rounds(1)
    assert {agent for agent, _ in arena.door.entered} == {ember, frost}
    assert (await arena.view(frost)).automation is not None
    channels.deaf = ""
    await arena.rounds(1)
    assert (await arena.view(ember)).automation is not None


async def test_many_are_entered_a_few_at_a_time(arena: Arena) -> None:
    for number in range(40):
        await arena.agent(f"Agent {number}")
    await arena.rounds(2)
    assert len(arena.door.entered) == 80
    assert 1 < arena.door.most_at_once <= 16


async def test_one_of_two_processes_does_it_and_the_other_takes_over(arena: Arena) -> None:
    ember = await arena.agent("Ember", msgspec.structs.replace(LIMITS, max_parallel=1))
    loops = [arena.automating(arena.redis, name) for name in ("one", "two")]
    tasks = [asyncio.create_task(loop.run()) for loop in loops]
    async with asyncio.timeout(10):
        while not arena.door.entered:
            await asyncio.sleep(0.01)
        leader = (await arena.redis.get(keys.leader("automations"))).decode().partition(":")[2]
        first = ("one", "two").index(leader)
        await loops[first].drain()
        await tasks[first]
        await arena.door.settle(ember, 1_000_000)
        while len(arena.door.entered) < 2:
            await asyncio.sleep(0.01)
        await loops[1 - first].drain()
        await tasks[1 - first]
    assert len(arena.door.entered) == 2
