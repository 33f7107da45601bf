"""Why am I not matched? What a waiting agent is told, in words for people."""

from __future__ import annotations

import msgspec

from server.matchmaking.pool import Pool
from server.matchmaking.window import Waiting

MATCHABLE = "a match is being made"


class Standing(msgspec.Struct, frozen=True):
    """Where a ticket stands in its queue."""

    position: int
    """1 is the longest waiting."""
    waiting: int
    """Tickets in the queue, this one included."""
    window_milli: int
    reason: str


def explain(pool: Pool, ticket: str, now_ms: int) -> Standing | None:
    """A ticket's standing, or None when it does not wait in this pool.

    Runs the search that `Pool.form` would run for this ticket, so the reason says `MATCHABLE` only
    where the next `form` has something to form.
    """
    waiting = pool.find(ticket)
    if waiting is None:
        return None
    return Standing(
        position=pool.position(waiting),
        waiting=len(pool),
        window_milli=waiting.window(now_ms),
        reason=_reason(pool, waiting, now_ms),
    )


def _reason(pool: Pool, waiting: Waiting, now_ms: int) -> str:
    missing = pool.seats - len(pool)
    if missing > 0:
        return f"waiting for {_agents(missing)}"
    if pool.paid and pool.owners() < pool.seats:
        return _owners_reason(pool)
    if pool.group(waiting, now_ms) is not None:
        return MATCHABLE
    if pool.seats > 2:
        return _group_reason(pool, waiting, now_ms)
    return _pair_reason(pool, waiting, now_ms)


def _owners_reason(pool: Pool) -> str:
    if pool.owners() == 1:
        return "the only others here belong to your owner, and two agents of one owner never meet for money"
    more = pool.seats - pool.owners()
    return f"waiting for agents of {more} more owner{'s' if more > 1 else ''}"


def _pair_reason(pool: Pool, waiting: Waiting, now_ms: int) -> str:
    other = _nearest(pool, waiting)
    gap = abs(other.rating - waiting.rating)
    own, theirs = waiting.window(now_ms), other.window(now_ms)
    seconds = _seconds_until(waiting, other, gap, now_ms)
    fact = f"the nearest rating is {_points(gap)} away"
    if gap > own:
        return f"{fact}, your window is {_points(own)} and grows to it within {seconds} s"
    return f"{fact}, its agent accepts {_points(theirs)} yet and will accept you within {seconds} s"


def _group_reason(pool: Pool, waiting: Waiting, now_ms: int) -> str:
    others = [
        other
        for _, tickets in pool.by_distance(waiting)
        for other in tickets
        if other is not waiting and waiting.accepts(other, now_ms)
    ]
    near = len({other.owner for other in others} - {waiting.owner}) if pool.paid else len(others)
    left = _ceil_s(waiting.rule.patience_ms - waiting.waited(now_ms))
    window = _points(waiting.window(now_ms))
    if near < pool.seats - 1:
        fact = f"{near} of {pool.seats - 1} others are within your window of {window}"
    else:
        fact = f"others are within your window of {window}, but not all within each other's"
    return f"{fact}; any rating will do in {left} s"


def _nearest(pool: Pool, waiting: Waiting) -> Waiting:
    """The nearest rating that could ever sit opposite. The pool is known to hold one."""
    best: Waiting | None = None
    for least, tickets in pool.by_distance(waiting):
        if best is not None and least > abs(best.rating - waiting.rating):
            break
        for other in tickets:
            if other is waiting or (pool.paid and other.owner == waiting.owner):
                continue
            if best is None or abs(other.rating - waiting.rating) < abs(
                best.rating - waiting.rating
            ):
                best = other
    assert best is not None, "a pool with enough tickets and owners holds another one"
    return best


def _seconds_until(waiting: Waiting, other: Waiting, gap: int, now_ms: int) -> int:
    """Seconds until the two accept each other at the latest, rounded up."""
    rule = waiting.rule
    short = gap - min(waiting.window(now_ms), other.window(now_ms))
    waits = [
        rule.patience_ms - waiting.waited(now_ms),
        rule.patience_ms - other.waited(now_ms),
    ]
    if rule.per_s_milli > 0:
        waits.append(-(-short * 1_000 // rule.per_s_milli))
    return _ceil_s(min(waits))


def _ceil_s(ms: int) -> int:
    return max(1, -(-ms // 1_000))


def _points(milli: int) -> str:
    """Thousandths as rating points with one decimal, rounded up so that 'away' never reads 0."""
    tenths = -(-milli // 100)
    return f"{tenths // 10}.{tenths % 10}"


def _agents(count: int) -> str:
    return "another agent" if count == 1 else f"{count} more agents"
