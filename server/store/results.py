"""What came of sessions: ranks, scores, and who was paid what out of the pot.

A session is settled once, in one transaction: the row in `result` is the guard, and the pot's account cannot
give more than came into it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chain import payouts
from chain.payouts import Fees, Split
from server import points
from server.clock import Clock
from server.convoy import Convoy
from server.ledger import Transfer, names, tiers
from server.store import automations, careers, ledger, money, outbox, pots, schema
from server.store import points as point_store
from server.store.careers import Ended, EndedSeat
from server.store.engine import Database
from server.store.holds import HoldRow

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
_s, _agent = schema.session, schema.agent
_these: Any = bindparam("sessions", expanding=True)
_results = select(_r).where(_r.c.session.in_(_these))
# Locked against an admin who voids one: of a void and a settlement at once one comes first.
_sessions = (
    select(_s.c.id, _s.c.space, _s.c.tier_micros, _s.c.status, _s.c.outcome)
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
        self._closing: Convoy[_Ending, ResultRow] = Convoy(
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
            _Ending(session=session, ranks=tuple(ranks), scores_milli=tuple(scores_milli))
        )

    async def void(self, session: str, reason: str) -> ResultRow:
        """Give every entry back; nobody is scored, and what else was to follow the session does not.
        Idempotent as `settle`."""
        return await self._closing.ride(_Ending(session=session, reason=reason[:MAX_REASON]))

    async def get(self, session: str) -> ResultRow | None:
        async with self._db.looking() as tx:
            return (await _standing(tx, [session])).get(session)

    async def _close(self, endings: Sequence[_Ending]) -> list[ResultRow | Exception]:
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
                    settlings.append(_settling(found, held[ending.session], ending, now_ms))
            written = await _guard(self._db, tx, [each.row for each in settlings])
            settlings = [each for each in settlings if each.row.session in written]
            if settlings:
                await _settle(self._db, tx, settlings, now_ms)
            answers |= {each.row.session: each.row for each in settlings}
            # Somebody else was faster: the guard refuses only what stands.
            faster = [each.session for each in endings if each.session not in answers]
            answers |= await _standing(tx, faster)
        return [answers[each.session] for each in endings]


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


class _Settling(msgspec.Struct, frozen=True):
    """A session that is being settled, and what it comes to."""

    facts: _Facts
    held: Sequence[HoldRow]
    ending: _Ending
    split: Split
    row: ResultRow


def _settling(facts: _Facts, held: Sequence[HoldRow], ending: _Ending, now_ms: int) -> _Settling:
    split = _split(facts, held, ending)
    return _Settling(facts, held, ending, split, _row(facts, split, ending, now_ms))


async def _settle(
    db: Database, tx: AsyncConnection, settlings: Sequence[_Settling], now_ms: int
) -> None:
    """All that follows the guard, for all of them."""
    sessions = [each.facts.session for each in settlings]
    await _tell_automations(db, tx, settlings, now_ms)
    moved = [transfer for each in settlings for transfer in _transfers(each.facts, each.split)]
    await ledger.require(db, tx, moved, now_ms)
    await pots.mark_settled(tx, sessions)
    await tx.execute(_write_entry, [row for each in settlings for row in _scored(each)])
    await careers.add(db, tx, [_ended(each) for each in settlings], now_ms)
    void = [each.facts.session for each in settlings if each.ending.ranks is None]
    if void:
        await outbox.finish(tx, void, ["settle", "rate"])
    claims = [
        claim
        for each in settlings
        if each.ending.ranks is not None
        for claim in _claims(each.facts, each.ending.ranks)
    ]
    await point_store.add(db, tx, claims, now_ms)


async def _facts(tx: AsyncConnection, sessions: Sequence[str]) -> dict[str, _Facts]:
    if not sessions:
        return {}
    rows = list(await tx.execute(_sessions, {"sessions": sessions}))
    seats: defaultdict[str, list[Seat]] = defaultdict(list)
    for session, *seat in await tx.execute(_seats, {"sessions": sessions}):
        seats[session].append(Seat(*seat))
    return {
        row.id: _Facts(
            session=row.id,
            space=row.space,
            tier_micros=row.tier_micros,
            void=row.status == "void",
            seats=seats[row.id],
            by_forfeit=_termination(row.outcome) == "forfeit",
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


def _split(facts: _Facts, held: Sequence[HoldRow], ending: _Ending) -> Split:
    stakes = _stakes(facts, held)
    return payouts.refund(stakes) if ending.ranks is None else payouts.split(stakes, ending.ranks)


def _stakes(facts: _Facts, held: Sequence[HoldRow]) -> list[int]:
    """What each seat paid, in seat order."""
    paid = {row.ticket: row.micros for row in held}
    return [paid.get(seat.ticket or "", 0) for seat in facts.seats]


def _scored(settling: _Settling) -> list[dict[str, object]]:
    facts, ending = settling.facts, settling.ending
    ranks = ending.ranks or (None,) * len(facts.seats)
    scores = ending.scores_milli or (None,) * len(facts.seats)
    return [
        {
            "of": facts.session,
            "at": seat.seat,
            "new_rank": ranks[seat.seat],
            "new_score": scores[seat.seat],
            "new_won": settling.split.payouts[seat.seat],
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


def _ended(settling: _Settling) -> Ended:
    """What the careers of its seats take down."""
    facts, ending = settling.facts, settling.ending
    scores = ending.scores_milli or (None,) * len(facts.seats)
    stakes = _stakes(facts, settling.held)
    return Ended(
        session=facts.session,
        space=facts.space,
        asset=facts.asset,
        ranks=ending.ranks,
        seats=[
            EndedSeat(each.agent, each.version, score, paid, won)
            for each, score, paid, won in zip(
                facts.seats, scores, stakes, settling.split.payouts, strict=True
            )
        ],
    )


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
    db: Database, tx: AsyncConnection, settlings: Sequence[_Settling], now_ms: int
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
