"""Points as they stand: lines that are only ever added, each once.

What a claim earns is `server.points`'s rule; here an account's claims wait for each other, so that
two sessions that end at once cannot both be its tenth of the day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server import points
from server.points import Award, Claim, Standing
from server.store import merit, seasons
from server.store.engine import Database

_p = merit.point
_t = merit.point_total
_award = (_p.c.id, _p.c.account, _p.c.agent, _p.c.code, _p.c.points, _p.c.words, _p.c.met)


async def add(
    db: Database, tx: AsyncConnection, claims: Sequence[Claim], now_ms: int
) -> list[Award]:
    """Grant what the claims earn, in the season that runs; returns the lines that are new.

    Idempotent: what has been granted is not granted again. `tx` is of `db.writing()`. It locks the
    accounts until the transaction ends, so let it be the last that locks anything in it.
    """
    if not claims:
        return []
    season = await seasons.current(db, tx, now_ms)
    accounts = sorted({claim.account for claim in claims})
    await _lock(db, tx, accounts)
    standings = await _standings(tx, claims, season, now_ms)
    new: list[Award] = []
    for claim in claims:
        awards = points.granted(claim, standings[claim.account], season, now_ms)
        standings[claim.account] = standings[claim.account].after(awards)
        new += awards
    if new:
        await tx.execute(_p.insert(), [_values(award, season, now_ms) for award in new])
        await _add_up(db, tx, new, season)
    return new


async def _add_up(db: Database, tx: AsyncConnection, awards: Sequence[Award], season: int) -> None:
    sums: Counter[tuple[str, str]] = Counter()
    for award in awards:
        sums[award.account, award.agent or ""] += award.points
    rows = [
        {"season": season, "account": account, "agent": agent, "points": number}
        for (account, agent), number in sums.items()
    ]
    insert = db.insert(_t)
    upsert = insert.on_conflict_do_update(
        index_elements=["season", "account", "agent"],
        set_={"points": _t.c.points + insert.excluded.points},
    )
    await tx.execute(upsert, rows)


async def _lock(db: Database, tx: AsyncConnection, accounts: Iterable[str]) -> None:
    """One after the other, in the same order everywhere, so that nobody waits in a circle."""
    if db.is_sqlite:  # there a writer is alone already
        return
    for account in accounts:
        key = func.hashtextextended(f"points:{account}", 0)
        await tx.execute(select(func.pg_advisory_xact_lock(key)))


async def _standings(
    tx: AsyncConnection, claims: Sequence[Claim], season: int, now_ms: int
) -> dict[str, Standing]:
    accounts = sorted({claim.account for claim in claims})
    ids = [name for claim in claims for name in points.asked(claim, season, now_ms)]
    # Not joined by OR: each of the two is a plain search in one index.
    known = [_read(row) for row in await tx.execute(select(*_award).where(_p.c.id.in_(ids)))]
    today = select(*_award).where(
        _p.c.account.in_(accounts),
        _p.c.season == season,
        _p.c.made_ms >= points.day_began_ms(now_ms),
    )
    lines = [_read(row) for row in await tx.execute(today)]
    return {
        account: Standing(
            today=tuple(line for line in lines if line.account == account),
            known={line.id: line for line in known if line.account == account},
        )
        for account in accounts
    }


def _values(award: Award, season: int, now_ms: int) -> dict[str, Any]:
    return {
        "id": award.id,
        "season": season,
        "account": award.account,
        "agent": award.agent,
        "code": award.code,
        "points": award.points,
        "words": award.words,
        "met": ",".join(award.met),
        "made_ms": now_ms,
    }


def _read(row: Row[*tuple[Any, ...]]) -> Award:
    name, account, agent, code, number, words, met = row
    return Award(name, account, agent, code, number, words, tuple(met.split(",")) if met else ())
