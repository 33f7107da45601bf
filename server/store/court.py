"""Cases of the court. A case is read and written as a whole, by one at a time: whoever changes it holds its row.

What a change is, is pure (`server.court.docket`); here it is only kept, all of it or nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chain.documents.case import Message
from judges.court.hearing import Refused, SeatState
from server.court.case import Case, Chair, Held
from server.store import courtroom
from server.store.engine import Database
from spaces import canonical

_c = courtroom.court_case
_h = courtroom.court_hearing
_s = courtroom.court_seat
_m = courtroom.court_message
_a = courtroom.court_audit

Change = Callable[[Case], Case]
_CHAIR = [getattr(_s.c, name) for name in Chair.__struct_fields__]


class CaseRow(msgspec.Struct, frozen=True):
    """A case and how often it has changed."""

    case: Case
    revision: int


class Drawn(msgspec.Struct, frozen=True):
    """A hearing that a judge was drawn for."""

    session: str
    space: str
    hearing: int
    state: SeatState
    reserve: bool
    bound: bool
    ordinal: int | None
    skill: int | None
    pay: int
    slash: str
    drawn_ms: int
    over: bool
    """The case is closed, so that `skill`, `pay` and `slash` may be told: they would say to another panel whether it is an audit."""


class Count(msgspec.Struct, frozen=True):
    """Of all hearings of a judge in cases that are closed."""

    hearings: int = 0
    revealed: int = 0
    absent: int = 0
    earned: int = 0
    """Sum of its pays, micro-USDC."""
    slashed: int = 0
    next_ordinal: int = 0


class Court:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # ----------------------------------------------------------------------- cases

    async def make(self, case: Case) -> Case:
        """The first one of a session stands; returns it."""
        async with self._db.writing() as tx:
            values = {"revision": 0, **_row(case)}
            made = await tx.execute(self._db.insert(_c).values(values).on_conflict_do_nothing())
            if made.rowcount:
                await self._write(tx, msgspec.structs.replace(case, hearings=()), case)
            (standing,) = await _read(tx, [case.session])
        return standing.case

    async def change(self, session: str, change: Change) -> Case | None:
        """The case as `change` has made it of the one that stands. None where there is none. Raises what `change` raises, and
        Refused where two commitments of one judge would have one ordinal."""
        try:
            async with self._db.writing() as tx:
                return await self._change(tx, session, change)
        except IntegrityError as error:
            raise Refused("ordinal", "another commitment of the judge has this ordinal") from error

    async def take(
        self, session: str, judge: str, change: Callable[[Case, int], Case]
    ) -> Case | None:
        """`change`, told how often the judge was drawn for a hearing, this one among them."""
        try:
            async with self._db.writing() as tx:
                query = select(func.count()).select_from(_s).where(_s.c.judge == judge)
                times = int(await tx.scalar(query) or 0)
                return await self._change(tx, session, lambda case: change(case, times))
        except IntegrityError as error:
            raise Refused("ordinal", "another commitment of the judge has this ordinal") from error

    async def _change(self, tx: AsyncConnection, session: str, change: Change) -> Case | None:
        held = select(_c.c.session).where(_c.c.session == session).with_for_update()
        if await tx.scalar(held) is None:
            return None
        (standing,) = await _read(tx, [session])
        now = change(standing.case)
        if now != standing.case:
            values = {"revision": standing.revision + 1, **_row(now)}
            await tx.execute(update(_c).where(_c.c.session == session).values(values))
            await self._write(tx, standing.case, now)
        return now

    async def _write(self, tx: AsyncConnection, was: Case, now: Case) -> None:
        """The hearings that differ, and what hangs on them."""
        for hearing in now.hearings:
            before = next((h for h in was.hearings if h.hearing == hearing.hearing), None)
            if before != hearing:
                await self._write_hearing(tx, now.session, before, hearing)
        for hearing in was.hearings[len(now.hearings) :]:
            for table in (_m, _s, _h):
                which = (table.c.session == now.session) & (table.c.hearing == hearing.hearing)
                await tx.execute(table.delete().where(which))

    async def _write_hearing(
        self, tx: AsyncConnection, session: str, was: Held | None, now: Held
    ) -> None:
        at = {"session": session, "hearing": now.hearing}
        # Of a hearing on the chain the record has its bench, as what a judge has signed there may be what no row can hold.
        bare = msgspec.structs.replace(now, bench=now.bench if now.forced else (), messages=())
        values = {"state": now.state, "record": msgspec.json.encode(bare).decode()}
        if was is None:
            await tx.execute(_h.insert().values(at | values))
        else:
            which = (_h.c.session == session) & (_h.c.hearing == now.hearing)
            await tx.execute(update(_h).where(which).values(values))
        await _write_bench(tx, at, () if was is None else was.bench, now)
        known = () if was is None else was.messages
        if known != now.messages[: len(known)]:  # what is on the chain stands in their place
            which = (_m.c.session == session) & (_m.c.hearing == now.hearing)
            await tx.execute(_m.delete().where(which))
            known = ()
        rows = [{**at, **_message(each)} for each in now.messages[len(known) :]]
        if rows:
            await tx.execute(_m.insert(), rows)

    async def get(self, session: str) -> Case | None:
        async with self._db.reading() as tx:
            found = await _read(tx, [session])
        return found[0].case if found else None

    async def these(self, sessions: Collection[str]) -> list[CaseRow]:
        """In no order."""
        async with self._db.reading() as tx:
            return await _read(tx, list(sessions))

    async def open(self) -> list[CaseRow]:
        """All of them, oldest first."""
        return await self._where(_c.c.state == "open", _c.c.session)

    async def open_revisions(self) -> dict[str, int]:
        """How often each open case has changed, oldest first."""
        return await self._revisions(_c.c.state == "open", _c.c.session)

    async def closed_revisions(self, since_ms: int) -> dict[str, int]:
        """Of those that were closed then or later."""
        which = _c.c.state.in_(("final", "void")) & (_c.c.closed_ms >= since_ms)
        return await self._revisions(which, _c.c.closed_ms)

    async def final_revisions(self, limit: int) -> dict[str, int]:
        """Of the last that have a verdict, newest first."""
        return await self._revisions(_c.c.state == "final", _c.c.closed_ms.desc(), limit)

    async def _revisions(self, which: Any, order: Any, limit: int | None = None) -> dict[str, int]:
        query = select(_c.c.session, _c.c.revision).where(which).order_by(order, _c.c.session)
        async with self._db.reading() as tx:
            return {row.session: row.revision for row in await tx.execute(query.limit(limit))}

    async def closed(self, limit: int, space: str | None = None) -> list[CaseRow]:
        """The last that have a verdict, newest first; only of one Space, if given."""
        which = (_c.c.state == "final") & (_c.c.closed_ms.is_not(None))
        if space is not None:
            which &= _c.c.space == space
        return await self._where(which, _c.c.closed_ms.desc(), limit)

    async def page(
        self, *, judge: str | None, is_open: bool, before: str | None, limit: int
    ) -> list[CaseRow]:
        """Newest first: those before a session, of a judge that was drawn for one of their hearings."""
        which = _c.c.session != ""
        if is_open:
            which &= _c.c.state == "open"
        if before is not None:
            which &= _c.c.session < before
        if judge is not None:
            which &= _c.c.session.in_(select(_s.c.session).where(_s.c.judge == judge))
        return await self._where(which, _c.c.session.desc(), limit)

    async def _where(self, which: Any, order: Any, limit: int | None = None) -> list[CaseRow]:
        query = select(_c.c.session).where(which).order_by(order, _c.c.session)
        async with self._db.reading() as tx:
            sessions = list((await tx.scalars(query.limit(limit))).all())
            found = {each.case.session: each for each in await _read(tx, sessions)}
        return [found[session] for session in sessions if session in found]

    # ----------------------------------------------------------------------- documents and epochs

    async def document(self, session: str) -> bytes | None:
        """`agon-case/1` of a case that is closed."""
        query = select(_c.c.document).where(_c.c.session == session)
        async with self._db.reading() as tx:
            found: bytes | None = await tx.scalar(query)
        return found

    async def named(self, session: str) -> str | None:
        """The CID of the file of a case that has a verdict; empty while it is being made; None where the court has decided nothing."""
        query = select(_c.c.cid).where(_c.c.session == session, _c.c.state == "final")
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else row.cid or ""

    async def keep_document(self, session: str, document: bytes, cid: str) -> None:
        """The first one stands. Its CID is told in the case. Both empty: nobody was drawn, and there is nothing to show."""
        async with self._db.writing() as tx:
            which = (_c.c.session == session) & (_c.c.document.is_(None))
            kept = await tx.execute(update(_c).where(which).values(document=document, cid=cid))
            if kept.rowcount:
                await self._change(
                    tx, session, lambda case: msgspec.structs.replace(case, document=cid)
                )

    async def undocumented(self, limit: int) -> list[CaseRow]:
        """Closed cases whose document is to be made, oldest first."""
        which = (_c.c.state != "open") & (_c.c.document.is_(None))
        return await self._where(which, _c.c.closed_ms, limit)

    async def unanchored(self, limit: int) -> list[CaseRow]:
        """Closed cases with a document that are in no epoch of the court yet, oldest first."""
        which = (_c.c.state != "open") & (_c.c.document.is_not(None)) & (_c.c.epoch.is_(None))
        return await self._where(which, _c.c.closed_ms, limit)

    async def of_epoch(self, epoch: int) -> list[CaseRow]:
        return await self._where(_c.c.epoch == epoch, _c.c.session)

    async def put_in_epoch(self, sessions: Collection[str], epoch: int) -> None:
        """Those that are in none yet."""
        async with self._db.writing() as tx:
            await put_in_epoch(tx, sessions, epoch)

    # ----------------------------------------------------------------------- judges

    async def drawn(self, judge: str, limit: int) -> list[Drawn]:
        """Hearings that a judge was drawn for, newest first."""
        query = (
            select(
                _s.c.session,
                _c.c.space,
                _s.c.hearing,
                _s.c.state,
                _s.c.reserve,
                _s.c.bound,
                _s.c.ordinal,
                _s.c.skill,
                _s.c.pay,
                _s.c.slash,
                _s.c.drawn_ms,
                _c.c.state != "open",
            )
            .join(_c, _c.c.session == _s.c.session)
            .where(_s.c.judge == judge)
            .order_by(_s.c.drawn_ms.desc(), _s.c.session.desc(), _s.c.hearing.desc())
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [
                Drawn(session, space, hearing, SeatState(state), *rest)
                for session, space, hearing, state, *rest in await tx.execute(query)
            ]

    async def counts(self, judges: Collection[str] | None = None) -> dict[str, Count]:
        """Of these judges, or of all that were ever drawn."""
        over = _c.c.state != "open"
        absent = over & _s.c.state.in_((SeatState.ABSENT.value, SeatState.REPLACED.value))
        revealed = over & (_s.c.state == SeatState.REVEALED.value)
        summed = (
            select(
                _s.c.judge,
                _count(revealed),
                _count(absent),
                func.sum(case((over, _s.c.pay), else_=0)),
                func.max(_s.c.ordinal),
            )
            .join(_c, _c.c.session == _s.c.session)
            .group_by(_s.c.judge)
        )
        # Decimal text of more digits than databases add up; few seats lose anything.
        lost = (
            select(_s.c.judge, _s.c.slash)
            .join(_c, _c.c.session == _s.c.session)
            .where(over, _s.c.slash != "0")
        )
        if judges is not None:
            summed = summed.where(_s.c.judge.in_(list(judges)))
            lost = lost.where(_s.c.judge.in_(list(judges)))
        slashed: dict[str, int] = {}
        async with self._db.reading() as tx:
            for judge, slash in await tx.execute(lost):
                slashed[judge] = slashed.get(judge, 0) + int(slash)
            return {
                judge: Count(
                    hearings=shown + gone,
                    revealed=shown,
                    absent=gone,
                    earned=int(pay),
                    slashed=slashed.get(judge, 0),
                    next_ordinal=0 if ordinal is None else ordinal + 1,
                )
                for judge, shown, gone, pay, ordinal in await tx.execute(summed)
            }

    # ----------------------------------------------------------------------- audits

    async def plant(self, session: str, answer: Sequence[int]) -> None:
        """The answer to a session that was written in advance, before its case is made. The first one stands."""
        values = {"session": session, "answer": json.dumps(list(answer))}
        async with self._db.writing() as tx:
            await tx.execute(self._db.insert(_a).values(values).on_conflict_do_nothing())

    async def answer(self, session: str) -> tuple[int, ...] | None:
        async with self._db.reading() as tx:
            found = await tx.scalar(select(_a.c.answer).where(_a.c.session == session))
        return None if found is None else tuple(json.loads(found))


async def put_in_epoch(tx: AsyncConnection, sessions: Collection[str], epoch: int) -> None:
    """Within the caller's transaction."""
    which = _c.c.session.in_(list(sessions)) & (_c.c.epoch.is_(None))
    await tx.execute(update(_c).where(which).values(epoch=epoch))


def _count(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((which, 1), else_=0))


def _row(case: Case) -> dict[str, Any]:
    bare = msgspec.structs.replace(case, hearings=())
    return {
        "session": case.session,
        "case_id": case.id.hex(),
        "space": case.space,
        "state": case.state,
        "made_ms": case.made_ms,
        "closed_ms": case.closed_ms,
        "record": msgspec.json.encode(bare).decode(),
    }


def _message(message: Message) -> dict[str, Any]:
    body = canonical.encode(msgspec.to_builtins(message))
    return {"number": message.i, "body": body, "digest": hashlib.sha256(body).hexdigest()}


async def _write_bench(
    tx: AsyncConnection, at: Mapping[str, Any], was: Sequence[Chair], now: Held
) -> None:
    if [each.judge for each in was] != [each.judge for each in now.bench]:
        which = (_s.c.session == at["session"]) & (_s.c.hearing == at["hearing"])
        await tx.execute(_s.delete().where(which))
        was = ()
    for place, chair in enumerate(now.bench):
        if place < len(was) and was[place] == chair:
            continue
        values = {**msgspec.structs.asdict(chair), "state": chair.state.value}
        if now.forced and await _is_used(tx, at, chair):
            values["ordinal"] = None
        if place < len(was):
            which = (_s.c.session == at["session"]) & (_s.c.hearing == at["hearing"])
            await tx.execute(update(_s).where(which & (_s.c.place == place)).values(values))
        else:
            drawn_ms = now.drawn_ms or now.filed_ms or 0
            await tx.execute(
                _s.insert().values({**at, "place": place, "drawn_ms": drawn_ms} | values)
            )


async def _is_used(tx: AsyncConnection, at: Mapping[str, Any], chair: Chair) -> bool:
    """Whether a judge has brought a commitment onto the chain with an ordinal that it has used for another hearing. That costs it all
    its stake as soon as somebody shows it; the case goes on."""
    if chair.ordinal is None:
        return False
    here = (_s.c.session == at["session"]) & (_s.c.hearing == at["hearing"])
    query = select(_s.c.place).where(
        _s.c.judge == chair.judge, _s.c.ordinal == chair.ordinal, ~here
    )
    return await tx.scalar(query.limit(1)) is not None


async def _read(tx: AsyncConnection, sessions: Sequence[str]) -> list[CaseRow]:
    """Whole cases, in no order."""
    if not sessions:
        return []
    benches: dict[tuple[str, int], list[Chair]] = {}
    query = select(_s.c.session, _s.c.hearing, *_CHAIR).where(_s.c.session.in_(sessions))
    for session, hearing, *chair in await tx.execute(query.order_by(_s.c.place)):
        values = dict(zip(Chair.__struct_fields__, chair, strict=True))
        values["state"] = SeatState(values["state"])
        benches.setdefault((session, hearing), []).append(Chair(**values))
    sent: dict[tuple[str, int], list[Message]] = {}
    messages = select(_m.c.session, _m.c.hearing, _m.c.body).where(_m.c.session.in_(sessions))
    for session, hearing, body in await tx.execute(messages.order_by(_m.c.number)):
        sent.setdefault((session, hearing), []).append(msgspec.json.decode(body, type=Message))
    held: dict[str, list[Held]] = {}
    hearings = select(_h.c.session, _h.c.hearing, _h.c.record).where(_h.c.session.in_(sessions))
    for session, hearing, record in await tx.execute(hearings.order_by(_h.c.hearing)):
        at = (session, hearing)
        bare = msgspec.json.decode(record, type=Held)
        whole = msgspec.structs.replace(
            bare, bench=bare.bench or tuple(benches.get(at, ())), messages=tuple(sent.get(at, ()))
        )
        held.setdefault(session, []).append(whole)
    cases = select(_c.c.session, _c.c.revision, _c.c.record).where(_c.c.session.in_(sessions))
    return [
        CaseRow(
            msgspec.structs.replace(
                msgspec.json.decode(record, type=Case), hearings=tuple(held.get(session, ()))
            ),
            revision,
        )
        for session, revision, record in await tx.execute(cases)
    ]
