"""The ledger in a storm: waves of concurrent work, crashes between any two statements, everything said twice.

Hypothesis draws the waves and where they crash; each wave runs at once on one store, as many workers would.
After each wave the books are audited, and at the end everything that was begun is finished and every
micro-dollar is found. A step is one attempt of one operation.

Slow: at least MIN_STEPS steps. On PostgreSQL (`AGON_TEST_DATABASE_URL`) the workers really run beside each
other; SQLite lets one write at a time.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from chain.payouts import Fees
from server.identity import Identity, new_id
from server.ledger import Transfer, names
from server.live.records import TicketRecord
from server.store import Store, open_store
from server.store.admission import Unfunded
from server.store.pots import EntriesGone
from tests.server.money_world import TIER, deposit, session_of, ticket_of

MIN_STEPS = 10_000
AGENTS = 6
START = 1_000 * TIER
WORKERS = 8


class Crash(Exception):
    """The worker dies here."""


class Weather:
    """Crashes a worker before some of its statements, or right after its commit, before it hears of it."""

    def __init__(self) -> None:
        self.rng = random.Random(0)
        self.per_statement = 0.0
        self.after_commit = 0.0
        self.crashes = 0

    def strike(self, *_: Any) -> None:
        if self.rng.random() < self.per_statement:
            self.crashes += 1
            raise Crash("between two statements")

    def strike_after(self) -> None:
        if self.rng.random() < self.after_commit:
            self.crashes += 1
            raise Crash("after the commit")


class World:
    """The store, what the workers believe, and how many steps they have made."""

    def __init__(self, store: Store, agents: list[Identity]) -> None:
        self.store = store
        self.agents = agents
        self.weather = Weather()
        self.deposited = AGENTS * START
        self.steps = 0
        self.tickets: list[TicketRecord] = []
        self.waiting: list[TicketRecord] = []
        """Held, as far as anybody has heard; another worker may form a session of it at the same moment."""
        self.taken: dict[str, list[TicketRecord]] = {}
        self.said: list[Transfer] = []
        event.listen(
            store.database.engine.sync_engine, "before_cursor_execute", self.weather.strike
        )

    async def attempt(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """One step; None when it crashed or was rightly refused."""
        self.steps += 1
        try:
            done = await work()
            self.weather.strike_after()
            return done if done is not None else True
        except (Crash, Unfunded, EntriesGone):
            return None
        except DBAPIError as error:
            # The driver wraps what is raised within it; anything else is a failure of ours.
            if isinstance(error.__cause__, Crash) or isinstance(error.orig, Crash):
                return None
            raise


Op = tuple[str, int, int]
"""What, and two numbers that say with which agents, tickets or sessions."""

OPS = st.tuples(
    st.sampled_from(
        (
            "hold",
            "hold",
            "hold",
            "form",
            "form",
            "settle",
            "settle",
            "void",
            "release",
            "fund",
            "again",
        )
    ),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)


async def run(world: World, op: Op) -> None:
    what, a, b = op
    store = world.store
    match what:
        case "hold":
            ticket = ticket_of(world.agents[a % len(world.agents)])
            world.tickets.append(ticket)
            for _ in range(1 + b % 2):  # the queue retries what it has not heard of
                if await world.attempt(lambda: store.entries.hold(ticket)):
                    world.waiting.append(ticket)
        case "release" if world.tickets:
            recent = world.tickets[-30:]
            ticket = recent[a % len(recent)]
            await world.attempt(lambda: store.entries.release(ticket.ticket))
        case "form" if world.waiting:
            seats = 2 if b % 3 else 5
            chosen = {ticket.agent: ticket for ticket in world.waiting[-20:]}
            await _form(world, list(chosen.values())[:seats])
        case "settle" | "void" if world.taken:
            formed = list(world.taken)[-10:]  # some are settled already, and stay as they are
            session = formed[a % len(formed)]
            await _close(world, what, session, b)
        case "fund":
            one, other = (world.agents[n % len(world.agents)].agent for n in (a, a + 1 + b % 4))
            moved = Transfer(
                id=f"fund:{new_id()}",
                debit=names.agent("usdc", one),
                credit=names.agent("usdc", other),
                asset="usdc",
                micros=1 + b % TIER,
                code="fund",
            )
            world.said.append(moved)
            await world.attempt(lambda: store.ledger.submit([moved]))
        case "again" if world.said:
            moved = world.said[a % len(world.said)]
            await world.attempt(lambda: store.ledger.submit([moved]))


async def _form(world: World, tickets: list[TicketRecord]) -> None:
    if len(tickets) < 2:
        return
    record = session_of(tickets)
    for _ in range(2):  # as a matchmaker that has not heard whether it was written
        if await world.attempt(lambda: world.store.sessions.form(record)):
            world.taken[record.session] = tickets
    while not (row := await world.attempt(lambda: _look(world, record.session))):
        pass  # the one who looks may crash, too
    if row == "there":
        world.taken[record.session] = tickets
        world.waiting = [each for each in world.waiting if each not in tickets]


async def _look(world: World, session: str) -> str:
    return "there" if await world.store.sessions.get(session) is not None else "nowhere"


async def _close(world: World, what: str, session: str, luck: int) -> None:
    seats = len(world.taken[session])
    order = random.Random(luck).choices(range(3), k=seats)
    ranks = [1 + sum(other < mine for other in order) for mine in order]
    if what == "void":
        await world.attempt(lambda: world.store.results.void(session, "the storm"))
    else:
        await world.attempt(lambda: world.store.results.settle(session, ranks, [0] * seats))


class Storm(RuleBasedStateMachine):
    """Waves on one world; the class attribute is set by the test."""

    world: World
    runner: asyncio.Runner

    @rule(
        ops=st.lists(OPS, min_size=WORKERS, max_size=4 * WORKERS),
        per_statement=st.sampled_from((0.0, 0.02, 0.1)),
        after_commit=st.sampled_from((0.0, 0.2)),
        seed=st.integers(0, 2**32),
    )
    def wave(self, ops: list[Op], per_statement: float, after_commit: float, seed: int) -> None:
        weather = self.world.weather
        weather.rng = random.Random(seed)
        weather.per_statement, weather.after_commit = per_statement, after_commit
        try:
            self.runner.run(self._wave(ops))
        finally:
            weather.per_statement = weather.after_commit = 0.0

    async def _wave(self, ops: list[Op]) -> None:
        async with asyncio.timeout(60):
            await asyncio.gather(*(self._worker(ops[number::WORKERS]) for number in range(WORKERS)))

    async def _worker(self, ops: list[Op]) -> None:
        for op in ops:
            await run(self.world, op)

    @invariant()
    def the_books_are_right(self) -> None:
        assert self.runner.run(self.world.store.ledger.audit()) == []


async def finish(world: World) -> None:
    """Whatever was begun is ended, in fair weather."""
    for session, tickets in world.taken.items():
        await world.store.results.settle(
            session, list(range(1, len(tickets) + 1)), [0] * len(tickets)
        )
    for ticket in world.tickets:
        await world.store.entries.release(ticket.ticket)


async def account_for(world: World) -> None:
    """Every micro-dollar that came in is with an agent or in a pool; every pot was paid out once."""
    store = world.store
    assert await store.ledger.audit() == []
    with_agents = 0
    for agent in world.agents:
        account = await store.ledger.account(names.agent("usdc", agent.agent))
        assert account.debits_pending == 0, "nothing is held any more"
        assert account.balance_micros >= 0
        with_agents += account.balance_micros
    fees = Fees()
    for session, tickets in world.taken.items():
        result = await store.results.get(session)
        assert result is not None
        assert sum(each.amount for each in result.payouts) + result.fees.total == result.pot_micros
        assert result.pot_micros == TIER * len(tickets)
        fees = Fees(
            fees.protocol + result.fees.protocol,
            fees.judges + result.fees.judges,
            fees.operators + result.fees.operators,
        )
    for pool in names.POOLS:
        balance = (await store.ledger.account(names.fees("usdc", pool))).balance_micros
        assert balance == getattr(fees, pool)
    assert with_agents + fees.total == world.deposited


async def make_world(url: str) -> World:
    store = await open_store(url)
    agents = [(await store.agents.register(f"Agent {n}"))[0] for n in range(AGENTS)]
    await store.ledger.require([deposit(names.agent("usdc", each.agent), START) for each in agents])
    return World(store, agents)


def _storm(url: str, examples: int, waves: int, min_steps: int) -> World:
    with asyncio.Runner() as runner:
        world = runner.run(make_world(url))
        try:
            Storm.world, Storm.runner = world, runner
            while world.steps < min_steps:
                run_state_machine_as_test(
                    Storm,
                    settings=settings(
                        max_examples=examples,
                        stateful_step_count=waves,
                        deadline=None,
                        database=None,
                        suppress_health_check=list(HealthCheck),
                        # what races does not fail twice in the same way: shrinking finds nothing
                        phases=(Phase.generate,),
                    ),
                )
            runner.run(finish(world))
            runner.run(account_for(world))
        finally:
            runner.run(world.store.close())
            runner.run(
                asyncio.sleep(0.2)
            )  # threads of connections that crashes have broken still say goodbye
    return world


def test_a_squall(tmp_path: Path) -> None:
    world = _storm(f"sqlite:///{tmp_path / 'storm.db'}", 2, 5, 100)
    assert world.weather.crashes > 0


@pytest.mark.slow
async def test_a_storm_of_ten_thousand_steps(store_url: str) -> None:
    world = await asyncio.to_thread(_storm, store_url, 10, 20, MIN_STEPS)
    assert world.steps >= MIN_STEPS
    assert world.weather.crashes > 100
    assert len(world.taken) > 100
    formed, crashes = len(world.taken), world.weather.crashes
    print(f"{world.steps} steps, {crashes} crashes, {formed} sessions settled", file=sys.stderr)


if __name__ == "__main__":  # python -m tests.server.test_money_storm [DATABASE_URL]
    with tempfile.TemporaryDirectory() as folder:
        given = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/storm.db"
        made = _storm(given, 10, 20, MIN_STEPS)
        print(
            f"{made.steps} steps, {made.weather.crashes} crashes, {len(made.taken)} sessions settled"
        )
