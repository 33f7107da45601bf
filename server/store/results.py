"""What came of sessions: ranks, scores, and who was paid what out of the pot.

A session is settled once, in one transaction: the row in `result` is the guard, and the pot's account cannot
give more than came into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server import points
from server.clock import Clock
from server.ledger import Transfer, names, payouts, tiers
from server.ledger.payouts import Fees, Split
from server.store import automations, careers, entries, ledger, money, outbox, schema
from server.store import points as point_store
from server.store.careers import EndedSeat
from server.store.engine import Database
from server.store.entries import HoldRow

MAX_REASON = 280


class Voided(Exception):
    """An admin has voided the session while it was about to be settled: nothing was paid, everything is to
    be given back."""


class Payout(msgspec.Struct, frozen=True):
    """As in `agon-result/1` (PROOFS)."""

    to: str
    amount: int


class ResultRow(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a session. Amounts in micros of `asset`."""

    session: str
    status: Literal["settled", "void"]
    reason: str | None
    asset: str
    pot_micros: int
    ranks: tuple[int, ...] | None
    payouts: tuple[Payout, ...]
    fees: Fees
    settled_ms: int


class Seat(msgspec.Struct, frozen=True):
    """A seat of a session that is being settled."""

    seat: int
    agent: str
    version: str
    owner: str
    ticket: str | None


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


class Results:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def settle(
        self, session: str, ranks: Sequence[int], scores_milli: Sequence[int]
    ) -> ResultRow:
        """Pay the pot out by competition ranks, in seat order. Idempotent: the first result stands and is
        returned. Raises Voided, and ledger.TransferRefused, which would be a defect."""
        return await self._close(
            _Ending(session=session, ranks=tuple(ranks), scores_milli=tuple(scores_milli))
        )

    async def void(self, session: str, reason: str) -> ResultRow:
        """Give every entry back; nobody is scored, and what else was to follow the session does not.
        Idempotent as `settle`."""
        return await self._close(_Ending(session=session, reason=reason[:MAX_REASON]))

    async def get(self, session: str) -> ResultRow | None:
        async with self._db.reading() as tx:
            return await _result(tx, session)

    async def _close(self, ending: _Ending) -> ResultRow:
        now_ms = self._clock()
        async with self._db.writing() as tx:
            standing = await _result(tx, ending.session)
            if standing is not None:
                return standing
            facts = await _facts(tx, ending.session)
            if facts.void and ending.ranks is not None:
                raise Voided(f"session {ending.session} has been voided")
            held = await entries.spent_on(tx, ending.session)
            split = _split(facts, held, ending)
            row = _row(facts, split, ending, now_ms)
            if not await _guard(self._db, tx, row):  # somebody else was faster
                standing = await _result(tx, ending.session)
                assert standing is not None, "the guard refuses only what stands"
                return standing
            await _pay(self._db, tx, facts, held, split, now_ms)
            await tx.execute(_write_entry, _scored(facts, split, ending))
            await _count(self._db, tx, facts, held, split, ending, now_ms)
            if ending.ranks is None:
                await outbox.finish(tx, ending.session, ["settle", "rate"])
            else:
                claims = _claims(facts, ending.ranks)
                await point_store.add(self._db, tx, claims, now_ms)
        return row


class _Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a session ended: by ranks and scores, or void for a reason."""

    session: str
    ranks: tuple[int, ...] | None = None
    scores_milli: tuple[int, ...] | None = None
    reason: str | None = None


class _Facts(msgspec.Struct, frozen=True):
    session: str
    space: str
    tier_micros: int
    void: bool
    seats: list[Seat]
    by_forfeit: bool
    """As the rules say why it ended."""

    @property
    def asset(self) -> str:
        return tiers.asset_of(self.tier_micros)


async def _facts(tx: AsyncConnection, session: str) -> _Facts:
    s, a = schema.session, schema.agent
    which = select(s.c.space, s.c.tier_micros, s.c.status, s.c.outcome).where(s.c.id == session)
    # Locked against an admin who voids it: of a void and a settlement at once one comes first.
    row = (await tx.execute(which.with_for_update())).one()
    query = (
        select(_e.c.seat, _e.c.agent, _e.c.version, a.c.owner, _e.c.ticket)
        .join(a, a.c.id == _e.c.agent)
        .where(_e.c.session == session)
        .order_by(_e.c.seat)
    )
    seats = [Seat(*each) for each in await tx.execute(query)]
    outcome = msgspec.json.decode(row.outcome) if row.outcome else {}
    return _Facts(
        session=session,
        space=row.space,
        tier_micros=row.tier_micros,
        void=row.status == "void",
        seats=seats,
        by_forfeit=outcome.get("termination") == "forfeit",
    )


def _split(facts: _Facts, held: Sequence[HoldRow], ending: _Ending) -> Split:
    stakes = _stakes(facts, held)
    return payouts.refund(stakes) if ending.ranks is None else payouts.split(stakes, ending.ranks)


def _stakes(facts: _Facts, held: Sequence[HoldRow]) -> list[int]:
    """What each seat paid, in seat order."""
    paid = {row.ticket: row.micros for row in held}
    return [paid.get(seat.ticket or "", 0) for seat in facts.seats]


async def _pay(
    db: Database,
    tx: AsyncConnection,
    facts: _Facts,
    held: Sequence[HoldRow],
    split: Split,
    now_ms: int,
) -> None:
    won = {seat.ticket: split.payouts[seat.seat] for seat in facts.seats}
    await _tell_automations(db, tx, held, won, now_ms)
    await ledger.require(db, tx, _transfers(facts, split), now_ms)
    await entries.mark_settled(tx, facts.session)


def _scored(facts: _Facts, split: Split, ending: _Ending) -> list[dict[str, object]]:
    ranks = ending.ranks or (None,) * len(facts.seats)
    scores = ending.scores_milli or (None,) * len(facts.seats)
    return [
        {
            "of": facts.session,
            "at": seat.seat,
            "new_rank": ranks[seat.seat],
            "new_score": scores[seat.seat],
            "new_won": split.payouts[seat.seat],
        }
        for seat in facts.seats
    ]


def _claims(facts: _Facts, ranks: Sequence[int]) -> list[points.Claim]:
    return points.for_session(
        facts.session,
        facts.space,
        facts.tier_micros,
        [
            points.Seat(seat.owner, seat.agent, seat.version, ranks[seat.seat])
            for seat in facts.seats
        ],
        by_forfeit=facts.by_forfeit,
    )


async def _count(
    db: Database,
    tx: AsyncConnection,
    facts: _Facts,
    held: Sequence[HoldRow],
    split: Split,
    ending: _Ending,
    now_ms: int,
) -> None:
    """Add the session to the careers of its seats."""
    scores = ending.scores_milli or (None,) * len(facts.seats)
    stakes = _stakes(facts, held)
    await careers.add(
        db,
        tx,
        session=facts.session,
        space=facts.space,
        asset=facts.asset,
        ranks=ending.ranks,
        seats=[
            EndedSeat(each.agent, each.version, score, paid, won)
            for each, score, paid, won in zip(
                facts.seats, scores, stakes, split.payouts, strict=True
            )
        ],
        now_ms=now_ms,
    )


async def _guard(db: Database, tx: AsyncConnection, row: ResultRow) -> bool:
    """Write the result, unless somebody has."""
    values: dict[str, Any] = msgspec.to_builtins(row)
    for name in ("ranks", "payouts", "fees"):
        if values[name] is not None:
            values[name] = msgspec.json.encode(values[name]).decode()
    added = await tx.execute(db.insert(_r).values(values).on_conflict_do_nothing())
    return added.rowcount == 1


async def _result(tx: AsyncConnection, session: str) -> ResultRow | None:
    row = (await tx.execute(select(_r).where(_r.c.session == session))).one_or_none()
    if row is None:
        return None
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
    db: Database,
    tx: AsyncConnection,
    held: Sequence[HoldRow],
    won: dict[str | None, int],
    now_ms: int,
) -> None:
    for row in sorted(held, key=lambda row: row.agent):  # one order of locks everywhere
        if row.run is not None:
            await automations.settled(
                db,
                tx,
                agent=row.agent,
                run=row.run,
                micros=row.micros,
                won_micros=won[row.ticket],
                now_ms=now_ms,
            )


def _row(facts: _Facts, split: Split, ending: _Ending, now_ms: int) -> ResultRow:
    return ResultRow(
        session=facts.session,
        status="void" if ending.ranks is None else "settled",
        reason=ending.reason,
        asset=facts.asset,
        pot_micros=sum(split.payouts) + split.fees.total,
        ranks=ending.ranks,
        payouts=tuple(
            Payout(names.agent(facts.asset, seat.agent), split.payouts[seat.seat])
            for seat in facts.seats
            if split.payouts[seat.seat]
        ),
        fees=split.fees,
        settled_ms=now_ms,
    )


def _transfers(facts: _Facts, split: Split) -> list[Transfer]:
    """What empties the pot; all of it or nothing."""
    session, asset = facts.session, facts.asset
    pot = names.pot(asset, session)
    what, code = ("refund", "refund") if split.refunded else ("pay", "winnings")
    wanted = [
        (
            f"{what}:{session}:{seat.seat}",
            names.agent(asset, seat.agent),
            split.payouts[seat.seat],
            code,
        )
        for seat in facts.seats
    ] + [
        (f"fee:{session}:{pool}", names.fees(asset, pool), getattr(split.fees, pool), "fee")
        for pool in names.POOLS
    ]
    paid = [each for each in wanted if each[2] > 0]
    return [
        Transfer(
            id=id_,
            debit=pot,
            credit=to,
            asset=asset,
            micros=micros,
            code=code,
            about=session,
            linked=number < len(paid) - 1,
        )
        for number, (id_, to, micros, code) in enumerate(paid)
    ]
