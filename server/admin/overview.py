"""What admins look at: live sessions and their hosts, queues and their leaders. Reading only."""

from __future__ import annotations

import msgspec
from redis.asyncio import Redis
from sqlalchemy import select

from server.live import keys
from server.live.lease import Leases
from server.live.queue_names import Queue, known_queues
from server.store import Store, schema

MAX_SESSIONS = 1_000


class LiveSession(msgspec.Struct, frozen=True):
    session: str
    space: str
    tier_micros: int
    status: str
    """`formed` until its live log is open, then `live`."""
    opened_ms: int
    agents: list[str]
    """In the order of their seats."""
    host: str | None
    """Who leases it; null when nobody does, or its log is gone."""


class QueueState(msgspec.Struct, frozen=True):
    space: str
    tier_micros: int
    waiting: int
    """Tickets that wait for a match."""
    offered: int
    """Tickets that are in an offer."""
    oldest_ms: int | None
    """Since when the longest waits (unix ms); null when nobody does, or nobody leads the queue."""
    leader: str | None
    """The matchmaker that leads it."""


async def live_sessions(store: Store, redis: Redis, limit: int = 100) -> list[LiveSession]:
    """The oldest first, at most MAX_SESSIONS."""
    s, e = schema.session, schema.entry
    query = (
        select(s.c.id, s.c.space, s.c.tier_micros, s.c.status, s.c.opened_ms)
        .where(s.c.status.in_(("formed", "live")))
        .order_by(s.c.id)
        .limit(min(limit, MAX_SESSIONS))
    )
    async with store.database.reading() as tx:
        rows = (await tx.execute(query)).all()
        seats = select(e.c.session, e.c.agent).where(e.c.session.in_([row.id for row in rows]))
        agents: dict[str, list[str]] = {row.id: [] for row in rows}
        for session, agent in await tx.execute(seats.order_by(e.c.session, e.c.seat)):
            agents[session].append(agent)
    hosts = await Leases(redis).holders([row.id for row in rows])
    return [
        LiveSession(
            session=row.id,
            space=row.space,
            tier_micros=row.tier_micros,
            status=row.status,
            opened_ms=row.opened_ms,
            agents=agents[row.id],
            host=hosts.get(row.id),
        )
        for row in rows
    ]


async def queue_states(redis: Redis, tiers_open: tuple[int, ...]) -> list[QueueState]:
    """Every queue there is, also the empty ones."""
    queues = known_queues(tiers_open)
    async with redis.pipeline(transaction=False) as pipeline:
        for queue in queues:
            pipeline.hlen(keys.queue_tickets(queue.key))
            pipeline.hlen(keys.queue_held(queue.key))
            pipeline.get(keys.queue_oldest(queue.key))
            pipeline.get(keys.queue_leader(queue.key))
        answers = await pipeline.execute()
    return [_state(queue, *answers[4 * n : 4 * n + 4]) for n, queue in enumerate(queues)]


def _state(
    queue: Queue, tickets: int, held: int, oldest: bytes | None, leader: bytes | None
) -> QueueState:
    waiting = max(0, tickets - held)
    return QueueState(
        space=queue.space,
        tier_micros=queue.tier_micros,
        waiting=waiting,
        offered=held,
        oldest_ms=int(oldest) if oldest and waiting else None,
        leader=leader.decode().partition(":")[2] if leader else None,
    )
