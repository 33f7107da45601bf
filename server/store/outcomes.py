"""What came of settled sessions, read for publication: results, entries, ratings and leagues together.

A gate's matches are not among them: they move no rating, and `GET /v1/gates/{gate}` tells of each.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row, exists, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from server.live.records import SessionRecord
from server.official.outcomes import Move, Outcome, SeatOutcome, numbered
from server.store import gating, money, schema, seasons
from server.store.engine import Database
from server.store.ratings import RatingRow
from server.store.seasons import SeasonRow

_s, _e, _r = schema.session, schema.entry, money.result
_PLAYED = ~exists().where(gating.gate_match.c.session == _s.c.id)
_moves = msgspec.json.Decoder(list[RatingRow])
_records = msgspec.msgpack.Decoder(SessionRecord)


class Place(NamedTuple):
    """Where a page ended: outcomes are read in the order in which they were settled."""

    settled_ms: int
    session: str


class Outcomes:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def count(self, space: str, sealed_by_ms: int) -> tuple[int, int]:
        """(settled, void ones included; rated) of the sessions that were sealed by then. Both only grow, so
        equal counts mean that nothing is new."""
        settled = select(func.count()).select_from(_r).join(_s, _s.c.id == _r.c.session)
        applied = schema.rating_applied
        rated = select(func.count()).select_from(applied).join(_s, _s.c.id == applied.c.session)
        told = (_s.c.space == space) & (_s.c.sealed_ms <= sealed_by_ms) & _PLAYED
        async with self._db.reading() as tx:
            return (
                await tx.scalar(settled.where(told)) or 0,
                await tx.scalar(rated.where(told)) or 0,
            )

    async def page(
        self, space: str, after: Place | None, limit: int, sealed_by_ms: int
    ) -> list[Outcome]:
        """The next outcomes of a Space, in the order of their settling; the last of them is the place for the
        next page (`place_of`). What was sealed after `sealed_by_ms` is not told."""
        columns = (_s, _r.c.status.label("result"), _r.c.reason, _r.c.asset, _r.c.settled_ms)
        query = (
            select(*columns, schema.rating_applied.c.rows)
            .join(_r, _r.c.session == _s.c.id)
            .outerjoin(schema.rating_applied, schema.rating_applied.c.session == _s.c.id)
            .where(_s.c.space == space, _s.c.sealed_ms <= sealed_by_ms, _PLAYED)
            .order_by(_r.c.settled_ms, _r.c.session)
            .limit(limit)
        )
        if after is not None:
            query = query.where(
                _r.c.settled_ms >= after.settled_ms,  # what the index can do
                tuple_(_r.c.settled_ms, _r.c.session) > tuple_(*after),
            )
        async with self._db.reading() as tx:
            found = (await tx.execute(query)).all()
            seats = await _seats(tx, [row.id for row in found])
            every = await seasons.every(tx)
        return [_outcome(row, seats[row.id], every) for row in found]


def place_of(outcome: Outcome) -> Place:
    return Place(outcome.settled_ms, outcome.session)


async def _seats(
    tx: AsyncConnection, sessions: Sequence[str]
) -> dict[str, list[Row[*tuple[Any, ...]]]]:
    query = (
        select(_e, money.hold.c.micros)
        .outerjoin(money.hold, money.hold.c.ticket == _e.c.ticket)
        .where(_e.c.session.in_(sessions))
        .order_by(_e.c.session, _e.c.seat)
    )
    seats: dict[str, list[Row[*tuple[Any, ...]]]] = {session: [] for session in sessions}
    for row in await tx.execute(query):
        seats[row.session].append(row)
    return seats


def _season(every: Sequence[SeasonRow], settled_ms: int) -> int:
    at = bisect.bisect_right(every, settled_ms, key=lambda season: season.started_ms)
    return every[at - 1].number if at else seasons.FIRST


def _outcome(
    row: Row[*tuple[Any, ...]],
    seats: Sequence[Row[*tuple[Any, ...]]],
    every: Sequence[SeasonRow],
) -> Outcome:
    record = _records.decode(row.record)
    owners = numbered([seat.owner for seat in record.seats])
    moves = {} if row.rows is None else {each.version: each for each in _moves.decode(row.rows)}
    void = row.result == "void"
    return Outcome(
        session=row.id,
        space=row.space,
        rules=row.rules,
        tier_micros=row.tier_micros,
        asset=row.asset,
        status=row.result,
        reason=row.reason,
        season=_season(every, row.settled_ms),
        opened_ms=row.opened_ms,
        sealed_ms=row.sealed_ms,
        settled_ms=row.settled_ms,
        digest=row.digest,
        rated=False if void else None if row.rows is None else bool(moves),
        seats=tuple(
            SeatOutcome(
                seat=seat.seat,
                agent=seat.agent,
                version=seat.version,
                name=seat.name,
                owner=owners[seat.seat],
                rank=seat.rank,
                score_milli=seat.score_milli,
                entry_micros=seat.micros or 0,
                won_micros=seat.won_micros or 0,
                move=_move(moves.get(seat.version)),
            )
            for seat in seats
        ),
    )


def _move(row: RatingRow | None) -> Move | None:
    """None also of what was rated before moves were numbered and leagues kept."""
    if row is None or not row.number or row.league is None:
        return None
    return Move(
        number=row.number,
        was_mu_milli=row.was_mu_milli,
        was_sigma_milli=row.was_sigma_milli,
        mu_milli=row.mu_milli,
        sigma_milli=row.sigma_milli,
        was_division=row.was_division,
        division=row.league.division,
    )
