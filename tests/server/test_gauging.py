"""The metrics of promises: what is 0 while they hold, and what rises when they do not."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from sqlalchemy import text

from server.clock import unix_ms
from server.gauging import DEAR_S, Gauging
from server.live.queue import Queues
from server.metrics import Metrics
from server.protocol import QueueCard
from server.readiness import Check, Readiness, Unready
from server.store import Store
from tests.server.aftermath_session import Seats, finish
from tests.server.money_world import TIER, funded, session_of, ticket_of


class Scraped:
    """What Prometheus sees, with clocks to turn."""

    def __init__(self, store: Store, redis: Redis) -> None:
        self.now_ms, self.now_s = unix_ms(), 0.0
        self.registry = CollectorRegistry()
        self.readiness = Readiness(clock=lambda: self.now_s)
        self.cards: list[QueueCard] = []
        self.gauging = Gauging(
            metrics=Metrics(self.registry),
            store=store,
            redis=redis,
            queue_sizes=self.sizes,
            readiness=self.readiness,
            data_dir="/",
            clock=lambda: self.now_ms,
            monotonic=lambda: self.now_s,
        )

    async def sizes(self) -> list[QueueCard]:
        return self.cards

    async def __call__(self, name: str, **labels: str) -> float | None:
        self.now_s += DEAR_S
        await self.gauging.refresh()
        return self.registry.get_sample_value(name, labels)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


@pytest.fixture
def scraped(store: Store, redis: Redis) -> Scraped:
    return Scraped(store, redis)


async def test_money_that_appears_from_nowhere_is_seen(store: Store, scraped: Scraped) -> None:
    ann, ben = await funded(store, "Ann"), await funded(store, "Ben")
    await store.entries.hold(ticket_of(ann))
    imbalance = "agon_ledger_imbalance_micros"
    assert await scraped(imbalance, asset="usdc", kind="posted") == 0
    assert scraped.value(imbalance, asset="usdc", kind="pending") == 0
    async with store.database.writing() as tx:
        await tx.execute(
            text("UPDATE ledger_account SET credits_posted = credits_posted + 7 WHERE id = :id"),
            {"id": f"usdc:agent:{ben.agent}"},
        )
    assert await scraped(imbalance, asset="usdc", kind="posted") == -7
    assert scraped.value(imbalance, asset="usdc", kind="pending") == 0


async def test_a_pot_that_was_settled_and_is_not_empty_is_seen(
    store: Store, scraped: Scraped
) -> None:
    ann, ben = await funded(store, "Ann"), await funded(store, "Ben")
    tickets = [ticket_of(each) for each in (ann, ben)]
    for ticket in tickets:
        await store.entries.hold(ticket)
    record = session_of(tickets)
    await store.sessions.form(record)
    assert await scraped("agon_ledger_pots_left") == 0, "it is not settled yet"
    scraped.now_ms += 90_000
    assert await scraped("agon_holds_oldest_seconds", state="spent") == pytest.approx(90, abs=5)
    assert scraped.value("agon_holds_oldest_seconds", state="held") == 0
    await store.results.settle(record.session, (1, 2), (1_000, -1_000))
    assert await scraped("agon_ledger_pots_left") == 0
    assert scraped.value("agon_holds_oldest_seconds", state="spent") == 0
    async with store.database.writing() as tx:
        await tx.execute(
            text("UPDATE ledger_account SET credits_posted = credits_posted + 1 WHERE id = :id"),
            {"id": f"usdc:pot:{record.session}"},
        )
    assert await scraped("agon_ledger_pots_left") == 1


async def test_steps_that_wait_are_as_old_as_they_are(
    store: Store, redis: Redis, scraped: Scraped
) -> None:
    await finish(store, redis, await Seats.registered(store))
    scraped.now_ms = unix_ms() + 30_000
    assert await scraped("agon_jobs_due_seconds", step="judge") == pytest.approx(30, abs=5)
    assert scraped.value("agon_jobs_due_seconds", step="settle") == 0, "it waits for the judges"
    assert scraped.value("agon_jobs", step="settle", state="waiting") == 1
    [row] = await store.outbox.due(scraped.now_ms, 10)
    await store.outbox.start(row, scraped.now_ms)
    await store.outbox.failed(row, "no model", None)
    assert await scraped("agon_jobs", step="judge", state="dead") == 1
    assert scraped.value("agon_jobs_due_seconds", step="judge") == 0


async def test_queues_unopened_sessions_and_services(
    store: Store, redis: Redis, scraped: Scraped
) -> None:
    await Queues(redis).enqueue(ticket_of(await funded(store, "Ann")))
    scraped.cards = [QueueCard("bid-tac-toe", TIER, 1, 75)]
    labels = {"space": "bid-tac-toe", "tier_micros": str(TIER)}
    assert await scraped("agon_matchmaking_oldest_seconds", **labels) == 75
    assert scraped.value("agon_matchmaking_waiting", **labels) == 1
    scraped.cards = []
    assert await scraped("agon_matchmaking_oldest_seconds", **labels) is None

    await store.sessions.form((await Seats.registered(store)).record("bid-tac-toe"))
    assert await scraped("agon_sessions_unopened") == 0
    scraped.now_ms += 60_000
    assert await scraped("agon_sessions_unopened") == 1
    for service in ("database", "redis"):
        trip_s = scraped.value("agon_round_trip_seconds", service=service)
        assert trip_s is not None
        assert 0 < trip_s < 5
    free = scraped.value("agon_disk_free_bytes")
    assert free is not None
    assert free > 0


async def test_what_fails_is_counted_and_keeps_its_last_value(
    store: Store, redis: Redis, scraped: Scraped
) -> None:
    async def sick() -> None:
        raise Unready("it has a cold")

    scraped.readiness.add(Check("nose", True, sick))
    scraped.cards = [QueueCard("bid-tac-toe", 0, 3, 75)]
    assert await scraped("agon_ready", check="nose") == 0

    async def away() -> list[QueueCard]:
        raise OSError("redis is away")

    scraped.gauging._queue_sizes = away
    labels = {"space": "bid-tac-toe", "tier_micros": "0"}
    assert await scraped("agon_matchmaking_waiting", **labels) == 3
    assert scraped.value("agon_gauging_failures_total", what="queues") == 1


async def test_sums_are_taken_seldom(store: Store, scraped: Scraped) -> None:
    await funded(store, "Ann")
    imbalance = {"asset": "usdc", "kind": "posted"}
    assert await scraped("agon_ledger_imbalance_micros", **imbalance) == 0
    async with store.database.writing() as tx:
        await tx.execute(text("UPDATE ledger_account SET debits_posted = debits_posted + 1"))
    scraped.now_s += DEAR_S - 1
    await scraped.gauging.refresh()
    assert scraped.value("agon_ledger_imbalance_micros", **imbalance) == 0
    assert await scraped("agon_ledger_imbalance_micros", **imbalance) == 2
