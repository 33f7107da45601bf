"""Sessions formed a second by the pure core while 50,000 tickets wait.

Ratings are normal with mean 25 and standard deviation 25/3 points, the prior of the rating system
and so the widest spread a queue can have; half of the sigmas are a newcomer's, half are settled
(1 to 3 points). Each round forms up to 256 sessions and adds as many new tickets as left, so the
pool stays at 50,000; both count, as does every removal. The matches are two-seated in a paid tier,
where the owners' rule must be checked, with four agents to an owner. No rating is without
opponents here, as in a real queue of this size; what a pool costs in which nobody fits is printed
as the second figure, without a bar.
"""

from __future__ import annotations

import random
import time
from typing import Any

from server.live.records import TicketRecord
from server.matchmaking import Pool

WAITING = 50_000
SECONDS = 3.0
BAR = 5_000
TICK_MS = 50
"""How far the clock goes on between two rounds."""


async def run(redis_url: str) -> list[dict[str, Any]]:
    """One row of `make bench` with the bar, one without. Needs no Redis: the core is pure."""
    rate = sessions_per_s(seats=2)
    return [
        {
            "name": "matchmaking_sessions_per_s",
            "value": round(rate),
            "unit": "sessions/s",
            "bar": BAR,
            "met": rate >= BAR,
        },
        {
            "name": "matchmaking_hopeless_form_ms",
            "value": round(hopeless_form_ms(), 2),
            "unit": "ms",
            "bar": None,
            "met": None,
        },
    ]


def sessions_per_s(seats: int) -> float:
    """Form, refill, form again for SECONDS."""
    rng = random.Random(20261122)
    now_ms = 60_000
    pool = Pool(seats, paid=True)
    serial = 0
    for serial in range(WAITING):
        pool.add(_ticket(rng, serial, now_ms - rng.randrange(3_000)))
    formed = 0
    spare = [_ticket(rng, serial + 1 + n, 0) for n in range(400_000)]
    begin = time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < SECONDS:
        now_ms += TICK_MS
        proposals = pool.form(now_ms)
        assert proposals, "a pool of 50,000 ratings always holds a match"
        formed += len(proposals)
        while len(pool) < WAITING:
            ticket = spare.pop()
            pool.add(_joined(ticket, now_ms))
    return formed / elapsed


def hopeless_form_ms() -> float:
    """The mean time of one `form` when all but one of 50,000 paid tickets are one owner's."""
    rng = random.Random(20261122)
    pool = Pool(2, paid=True)
    for serial in range(WAITING):
        pool.add(_ticket(rng, serial, 0, owner="one"))
    pool.add(_ticket(rng, WAITING, 0, owner="other", mu_milli=200_000))
    rounds = 25
    begin = time.perf_counter()
    for number in range(rounds):
        assert not pool.form(number * 100)
    return (time.perf_counter() - begin) / rounds * 1_000


def _ticket(
    rng: random.Random, serial: int, joined_ms: int, owner: str = "", mu_milli: int | None = None
) -> TicketRecord:
    return TicketRecord(
        ticket=f"t{serial:07d}",
        agent=f"a{serial}",
        name=f"Agent {serial}",
        version=f"v{serial}",
        owner=owner or f"o{serial // 4}",
        space="bid-tac-toe",
        tier_micros=100_000,
        mu_milli=round(rng.gauss(25_000, 25_000 / 3)) if mu_milli is None else mu_milli,
        sigma_milli=8_333 if rng.random() < 0.5 else rng.randrange(1_000, 3_000),
        joined_ms=joined_ms,
    )


def _joined(ticket: TicketRecord, joined_ms: int) -> TicketRecord:
    return TicketRecord(
        ticket.ticket,
        ticket.agent,
        ticket.name,
        ticket.version,
        ticket.owner,
        ticket.space,
        ticket.tier_micros,
        ticket.mu_milli,
        ticket.sigma_milli,
        joined_ms,
    )
