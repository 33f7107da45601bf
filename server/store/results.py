"""What came of sessions: ranks, scores, and who was paid what out of the pot.

A session is settled once, in one transaction: the row in `result` is the guard, and the pot's account cannot
give more than came into it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chain.payouts import Fees
from server.clock import Clock
from server.convoy import Convoy
from server.store import (
    automations,
    careers,
    gating,
    ledger,
    money,
    outbox,
    points,
    pots,
    schema,
    settling,
)
from server.store.engine import Database
from server.store.holds import HoldRow
from server.store.settling import Ending, Facts, Payout, ResultRow, Seat, Settling

MAX_REASON = 280


class Voided(Exception):
    """An admin has voided the session while it was about to be settled: nothing was paid, everything is to
    be given back."""


_r = money.result
_e = schema.entry
_write_entry = (
    update(_e)
    .where(_e.c.session == bindparam("of"), _e.c.seat == bindparam("at"))
    .values(
        rank=bindparam("new_rank"),
        score_milli=bindparam("new_score"),
        won_micros=bindparam("new_won"),
    )
)
_s, _agent = schema.session, schema.agent
_TEST = exists().where(gating.gate_match.c.session == _s.c.id).label("test")
_these: Any = bindparam("sessions", expanding=True)
_results = select(_r).where(_r.c.session.in_(_these))
# Locked against an admin who voids one: of a void and a settlement at once one comes first.
_sessions = (
    select(_s.c.id, _s.c.space, _s.c.tier_micros, _s.c.status, _s.c.outcome, _TEST)
    .where(_s.c.id.in_(_these))
    .order_by(_s.c.id)
    .with_for_update()
)
_seats = (
    select(_e.c.session, _e.c.seat, _e.c.agent, _e.c.version, _agent.c.owner, _e.c.ticket)
    .join(_agent, _agent.c.id == _e.c.agent)
    .where(_e.c.session.in_(_these))
    .order_by(_e.c.session, _e.c.seat)
)


class Results:
    """Every method is one transaction; sessions that are settled at once may share theirs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self._closing: Convoy[Ending, ResultRow] = Convoy(
            self._close, lambda ending: ending.session
        )

    async def close(self) -> None:
        """Let what is asked for come to its end. Idempotent."""
        await self._closing.close()

    async def settle(
        self, session: str, ranks: Sequence[int], scores_milli: Sequence[int]
    ) -> ResultRow:
        """Pay the pot out by competition ranks, in seat order. Idempotent: the first result stands and is
        returned. Raises Voided, and ledger.TransferRefused, which would be a defect."""
        return await self._closing.ride(
            Ending(session=session, ranks=tuple(ranks), scores_milli=tuple(scores_milli))
        )

    async def void(self, session: str, reason: str) -> ResultRow:
        """Give every entry back; nobody is scored, and what else was to follow the session does not.
        Idempotent as `settle`."""
        return await self._closing.ride(Ending(session=session, reason=reason[:MAX_REASON]))

    async def get(self, session: str) -> ResultRow | None:
        async with self._db.looking() as tx:
            return (await _standing(tx, [session])).get(session)

    async def _close(self, endings: Sequence[Ending]) -> list[ResultRow | Exception]:
        now_ms = self._clock()
        async with self._db.writing() as tx:
            answers: dict[str, ResultRow | Exception] = {}
            answers |= await _standing(tx, [each.session for each in endings])
            open_ = [each for each in endings if each.session not in answers]
            facts = await _facts(tx, [each.session for each in open_])
            held = await _held(tx, [each.session for each in open_])
            settlings = []
            for ending in open_:
                if (found := facts.get(ending.session)) is None:
                    answers[ending.session] = LookupError(f"unknown session {ending.session!r}")
                elif found.void and ending.ranks is not None:
                    answers[ending.session] = Voided(f"session {ending.session} has been voided")
                else:
                    settlings.append(settling.reckon(found, held[ending.session], ending, now_ms))
            written = await _guard(self._db, tx, [each.row for each in settlings])
            settlings = [each for each in settlings if each.row.session in written]
            if settlings:
                await _settle(self._db, tx, settlings, now_ms)
            answers |= {each.row.session: each.row for each in settlings}
            # Somebody else was faster: the guard refuses only what stands.
            faster = [each.session for each in endings if each.session not in answers]
            answers |= await _standing(tx, faster)
        return [answers[each.session] for each in endings]


async def _settle(
    db: Database, tx: AsyncConnection, settlings: Sequence[Settling], now_ms: int
) -> None:
    """All that follows the guard, for all of them."""
    sessions = [each.facts.session for each in settlings]
    await _tell_automations(db, tx, settlings, now_ms)
    moved = [transfer for each in settlings for transfer in settling.transfers(each)]
    await ledger.require(db, tx, moved, now_ms)
    await pots.mark_settled(tx, sessions)
    await tx.execute(_write_entry, [row for each in settlings for row in _scored(each)])
    counted = [settling.ended(each) for each in settlings if not each.facts.test]
    await careers.add(db, tx, counted, now_ms)
    void = [each.facts.session for each in settlings if each.ending.ranks is None]
    if void:
        await outbox.finish(tx, void, ["settle", "rate"])
    claims = [claim for each in settlings for claim in settling.claims(each)]
    await points.add(db, tx, claims, now_ms)


async def _facts(tx: AsyncConnection, sessions: Sequence[str]) -> dict[str, Facts]:
    if not sessions:
        return {}
    rows = list(await tx.execute(_sessions, {"sessions": sessions}))
    seats: defaultdict[str, list[Seat]] = defaultdict(list)
    for session, *seat in await tx.execute(_seats, {"sessions": sessions}):
        seats[session].append(Seat(*seat))
    return {
        row.id: Facts(
            session=row.id,
            space=row.space,
            tier_micros=row.tier_micros,
            void=row.status == "void",
            seats=seats[row.id],
            by_forfeit=_termination(row.outcome) == "forfeit",
            test=bool(row.test),
        )
        for row in rows
    }


def _termination(outcome: str | None) -> object:
    return msgspec.json.decode(outcome).get("termination") if outcome else None


async def _held(tx: AsyncConnection, sessions: Sequence[str]) -> dict[str, list[HoldRow]]:
    held: defaultdict[str, list[HoldRow]] = defaultdict(list)
    for row in await pots.spent_on(tx, sessions) if sessions else ():
        held[row.session or ""].append(row)
    return held


def _scored(settled: Settling) -> list[dict[str, object]]:
    facts, ending = settled.facts, settled.ending
    ranks = ending.ranks or (None,) * len(facts.seats)
    scores = ending.scores_milli or (None,) * len(facts.seats)
    return [
        {
            "of": facts.session,
            "at": seat.seat,
            "new_rank": ranks[seat.seat],
            "new_score": scores[seat.seat],
            "new_won": settled.split.payouts[seat.seat],
        }
        for seat in facts.seats
    ]


async def _guard(db: Database, tx: AsyncConnection, rows: Sequence[ResultRow]) -> set[str]:
    """Write the results, unless somebody has; the sessions of those that were written."""
    if not rows:
        return set()
    insert = db.insert(_r).on_conflict_do_nothing().returning(_r.c.session)
    return set(await tx.scalars(insert, [_written(row) for row in rows]))


def _written(row: ResultRow) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(row)
    for name in ("ranks", "payouts", "fees"):
        if values[name] is not None:
            values[name] = msgspec.json.encode(values[name]).decode()
    return values


async def _standing(tx: AsyncConnection, sessions: Sequence[str]) -> dict[str, ResultRow]:
    if not sessions:
        return {}
    rows = await tx.execute(_results, {"sessions": list(sessions)})
    return {row.session: _read(row) for row in rows}


def _read(row: Row[*tuple[Any, ...]]) -> ResultRow:
    decode = msgspec.json.decode
    return ResultRow(
        session=row.session,
        status=row.status,
        reason=row.reason,
        asset=row.asset,
        pot_micros=row.pot_micros,
        ranks=None if row.ranks is None else decode(row.ranks, type=tuple[int, ...]),
        payouts=decode(row.payouts, type=tuple[Payout, ...]),
        fees=decode(row.fees, type=Fees),
        settled_ms=row.settled_ms,
    )


async def _tell_automations(
    db: Database, tx: AsyncConnection, settlings: Sequence[Settling], now_ms: int
) -> None:
    spent = [(row, each) for each in settlings for row in each.held if row.counts_in is not None]
    for row, each in sorted(spent, key=lambda pair: pair[0].agent):  # one order of locks everywhere
        won = {seat.ticket: each.split.payouts[seat.seat] for seat in each.facts.seats}
        await automations.settled(
            db,
            tx,
            agent=row.agent,
            run=row.counts_in,
            micros=row.micros,
            won_micros=won[row.ticket],
            now_ms=now_ms,
        )
