"""Node operators as rows. Functions take a transaction of the caller's, methods of `Operators` are one each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Select, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.operators.standing import Standing
from server.store import keeping, schema
from server.store.engine import Database

_s = keeping.operator_standing
_b = keeping.operator_batch
_k = keeping.operator_keep
_l = keeping.operator_list
_c = keeping.operator_challenge
_r = keeping.published_root
_d = keeping.root_document
_p = schema.pin_task

LISTS_WAIT = 8
"""Lists of one operator that wait to be read, at most: of a megabyte each, for the gas of an attestation."""

_STANDING = [getattr(_s.c, name) for name in Standing.__struct_fields__]


# --------------------------------------------------------------------------- within the reader's transaction


async def standing_of(tx: AsyncConnection, operator: str) -> Standing | None:
    query = (
        select(*_STANDING)
        .where(_s.c.operator == operator)
        .order_by(_s.c.number.desc(), _s.c.log_index.desc())
        .limit(1)
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _standing(row)


async def batch_count(tx: AsyncConnection, operator: str) -> int:
    """How many batches an operator has attested: their numbers have no holes."""
    newest = await tx.scalar(select(func.max(_b.c.batch)).where(_b.c.operator == operator))
    return 0 if newest is None else int(newest) + 1


async def add_standing(
    tx: AsyncConnection, operator: str, number: int, log_index: int, now: Standing
) -> None:
    values = msgspec.structs.asdict(now)
    values |= {"bonded": str(now.bonded), "unbonding": str(now.unbonding)}
    at = {"operator": operator, "number": number, "log_index": log_index}
    await tx.execute(_s.insert().values(at | values))


async def forget_standing(tx: AsyncConnection, operator: str, number: int, log_index: int) -> None:
    which = and_(_s.c.operator == operator, _s.c.number == number, _s.c.log_index == log_index)
    await tx.execute(delete(_s).where(which))


async def add_batch(tx: AsyncConnection, values: Mapping[str, Any], now_ms: int) -> None:
    await tx.execute(_b.insert().values({**values, "state": "due", "tries": 0, "due_ms": now_ms}))


async def forget_batch(tx: AsyncConnection, operator: str, batch: int) -> None:
    for table in (_k, _l, _b):
        await tx.execute(delete(table).where(table.c.operator == operator, table.c.batch == batch))


async def expose(tx: AsyncConnection, operator: str, batch: int, number: int | None) -> None:
    which = and_(_b.c.operator == operator, _b.c.batch == batch)
    await tx.execute(update(_b).where(which).values(exposed_number=number))
    which = and_(_l.c.operator == operator, _l.c.batch == batch)
    await tx.execute(delete(_l).where(which))  # after a reorganisation the network is asked for it


async def add_challenge(tx: AsyncConnection, values: Mapping[str, Any]) -> None:
    await tx.execute(_c.insert().values(dict(values)))


async def change_challenge(tx: AsyncConnection, id_: int, values: Mapping[str, Any]) -> None:
    await tx.execute(update(_c).where(_c.c.id == id_).values(dict(values)))


async def forget_challenge(tx: AsyncConnection, id_: int) -> None:
    await tx.execute(delete(_c).where(_c.c.id == id_))


async def add_root(tx: AsyncConnection, values: Mapping[str, Any]) -> None:
    await tx.execute(_r.insert().values(dict(values)))


async def forget_root(tx: AsyncConnection, number: int, log_index: int) -> None:
    await tx.execute(delete(_r).where(_r.c.number == number, _r.c.log_index == log_index))


# --------------------------------------------------------------------------- everybody else's


def _standing(row: Any) -> Standing:
    values = dict(row._mapping)
    return Standing(
        **{**values, "bonded": int(values["bonded"]), "unbonding": int(values["unbonding"])}
    )


class BatchRow(msgspec.Struct, frozen=True):
    """A batch as it was attested, and what was found out about it."""

    operator: str
    batch: int
    root: str
    leaves: int
    list_digest: str
    number: int
    block_hash: str
    state: Literal["due", "read", "bad"]
    tries: int
    at_s: int | None
    good: int | None
    lie: int | None
    exposed_number: int | None


class Block(msgspec.Struct, frozen=True):
    """What operators are asked to keep."""

    task: int
    cid: str
    session: str
    given_ms: int
    document: bytes | None
    """Of a transcript; other blocks are in the content store."""


class Keep(msgspec.Struct, frozen=True):
    """A leaf that equals the arena's."""

    task: int
    place: int
    bytes: int


class ChallengeRow(msgspec.Struct, frozen=True):
    id: int
    operator: str
    challenger: str
    bond: str
    """FRAC in its smallest part, decimal; `0`: by the role."""
    batch: int
    leaf: int | None
    number: int
    drawn_leaf: int | None
    drawn_number: int | None
    answer_until: int | None
    ended: Literal["answered", "missed", "lapsed"] | None
    ended_number: int | None


class Asked(msgspec.Struct, frozen=True):
    """What one challenger has asked of an operator."""

    count: int
    open: int
    newest: int | None
    """The block of the newest challenge."""


class Place(msgspec.Struct, frozen=True):
    """A leaf's."""

    batch: int
    place: int


Roots = Literal["rewards", "points"]


class Posted(msgspec.Struct, frozen=True):
    """The last that was said on the chain of a root."""

    season: int
    ordinal: int
    root: str
    """Of one that was vetoed: which it was."""
    total: str
    counts_at: int
    vetoed: bool


class RootDocument(msgspec.Struct, frozen=True):
    """What a root is made of."""

    kind: Roots
    season: int
    ordinal: int
    root: str
    total: str
    document: bytes
    cid: str
    made_ms: int


class Paying(msgspec.Struct, frozen=True):
    """A good leaf, for rewards."""

    task: int
    cid: str
    bytes: int
    operator: str
    batch: int
    at_s: int


class ShortRow(msgspec.Struct, frozen=True):
    """A block with too few keepers."""

    number: int
    cid: str
    kept_by: list[str]


_POSTED = [getattr(_r.c, name) for name in Posted.__struct_fields__]
_DOCUMENT = [getattr(_d.c, name) for name in RootDocument.__struct_fields__]
_CHALLENGE = [getattr(_c.c, name) for name in ChallengeRow.__struct_fields__]
_BATCH = [getattr(_b.c, name) for name in BatchRow.__struct_fields__]


def _this(batch: BatchRow) -> Any:
    """The row, as long as no reorganisation has put another in its place and nobody else has looked at it."""
    return and_(
        _b.c.operator == batch.operator,
        _b.c.batch == batch.batch,
        _b.c.block_hash == batch.block_hash,
        _b.c.list_digest == batch.list_digest,
        _b.c.state == "due",
    )


async def _lies_kept(tx: AsyncConnection, operator: str) -> int:
    """Lists of batches that are read, the one that is being read among them."""
    query = (
        select(func.count())
        .select_from(_l)
        .join(_b, and_(_b.c.operator == _l.c.operator, _b.c.batch == _l.c.batch))
        .where(_l.c.operator == operator, _b.c.state == "read")
    )
    return int(await tx.scalar(query) or 0) - 1


async def _is_handed_in(tx: AsyncConnection, batch: BatchRow) -> bool:
    """Whether its list is here, also where that is being written just now: `hand_in` holds the row while it is."""
    await tx.execute(select(_b.c.batch).where(_this(batch)).with_for_update())
    query = select(_l.c.batch).where(_l.c.operator == batch.operator, _l.c.batch == batch.batch)
    return await tx.scalar(query) is not None


async def _drop_list(tx: AsyncConnection, batch: BatchRow) -> None:
    which = and_(_l.c.operator == batch.operator, _l.c.batch == batch.batch)
    await tx.execute(delete(_l).where(which))


class Operators:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def standings(self, upto: int | None = None) -> dict[str, Standing]:
        """Every operator, as it stands, or as it stood after block `upto`."""
        newest = func.row_number().over(
            partition_by=_s.c.operator, order_by=(_s.c.number.desc(), _s.c.log_index.desc())
        )
        inner = select(_s.c.operator, *_STANDING, newest.label("age"))
        if upto is not None:
            inner = inner.where(_s.c.number <= upto)
        found = inner.subquery()
        query = select(*(each for each in found.c if each.name != "age")).where(found.c.age == 1)
        async with self._db.reading() as tx:
            rows = (await tx.execute(query)).all()
        return {
            row.operator: Standing(
                **{
                    **{name: getattr(row, name) for name in Standing.__struct_fields__},
                    "bonded": int(row.bonded),
                    "unbonding": int(row.unbonding),
                }
            )
            for row in rows
        }

    # ----------------------------------------------------------------------- batches

    async def due_batches(self, now_ms: int, limit: int) -> list[BatchRow]:
        """Those whose lists are to be fetched now, the longest due first: one of each operator, so that whoever attests a
        thousand lists that nobody finds is in nobody's way."""
        turn = func.row_number().over(
            partition_by=_b.c.operator, order_by=(_b.c.due_ms, _b.c.batch)
        )
        due = (
            select(*_BATCH, _b.c.due_ms, turn.label("turn"))
            .where(_b.c.state == "due", _b.c.due_ms <= now_ms)
            .subquery()
        )
        columns = [due.c[name] for name in BatchRow.__struct_fields__]
        query = select(*columns).where(due.c.turn == 1).order_by(due.c.due_ms, due.c.operator)
        query = query.limit(limit)
        async with self._db.reading() as tx:
            return [BatchRow(*row) for row in await tx.execute(query)]

    async def batches(self, operator: str | None = None) -> list[BatchRow]:
        """Of one operator, or of all, in their order."""
        query = select(*_BATCH).order_by(_b.c.operator, _b.c.batch)
        if operator is not None:
            query = query.where(_b.c.operator == operator)
        async with self._db.reading() as tx:
            return [BatchRow(*row) for row in await tx.execute(query)]

    async def batch(self, operator: str, number: int) -> BatchRow | None:
        query = select(*_BATCH).where(_b.c.operator == operator, _b.c.batch == number)
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else BatchRow(*row)

    async def put_off(self, batch: BatchRow, due_ms: int, *, failed: bool = True) -> bool:
        """Another try then; `failed`: its list could not be had. False, and nothing noted, where it was handed in meanwhile."""
        values = {"tries": batch.tries + failed, "due_ms": due_ms}
        async with self._db.writing() as tx:
            if failed and await _is_handed_in(tx, batch):
                return False
            await tx.execute(update(_b).where(_this(batch)).values(values))
        return True

    async def hand_in(self, batch: BatchRow, data: bytes, now_ms: int) -> bool:
        """Keep the list of a batch until it is read, which is due now. False, and nothing kept, while LISTS_WAIT others of the
        operator wait. Idempotent."""
        waiting = (
            select(func.count())
            .select_from(_l)
            .join(_b, and_(_b.c.operator == _l.c.operator, _b.c.batch == _l.c.batch))
            .where(_l.c.operator == batch.operator, _l.c.batch != batch.batch)
            .where(_b.c.state == "due")
        )
        row = {"operator": batch.operator, "batch": batch.batch, "data": data}
        async with self._db.writing() as tx:
            if int(await tx.scalar(waiting) or 0) >= LISTS_WAIT:
                return False
            found = await tx.execute(update(_b).where(_this(batch)).values(due_ms=now_ms))
            if found.rowcount:
                await tx.execute(self._db.insert(_l).values(row).on_conflict_do_nothing())
        return True

    async def handed_in(self, batch: BatchRow) -> bytes | None:
        query = select(_l.c.data).where(_l.c.operator == batch.operator, _l.c.batch == batch.batch)
        async with self._db.reading() as tx:
            found = await tx.scalar(query)
        return None if found is None else bytes(found)

    async def refuse(self, batch: BatchRow, at_s: int, *, failed: bool = False) -> bool:
        """There is no such list; `failed`: it could not be had. Then False, and nothing noted, where it was handed in meanwhile."""
        values = {"state": "bad", "at_s": at_s, "good": 0}
        async with self._db.writing() as tx:
            if failed and await _is_handed_in(tx, batch):
                return False
            found = await tx.execute(update(_b).where(_this(batch)).values(values))
            if found.rowcount:
                await _drop_list(tx, batch)
        return True

    async def record(
        self, batch: BatchRow, at_s: int, good: Sequence[Keep], lie: int | None
    ) -> bool:
        """What was found. False, and nothing noted, where it has been noted before or the batch is another by now."""
        values = {"state": "read", "at_s": at_s, "good": len(good), "lie": lie}
        of = {"operator": batch.operator, "batch": batch.batch, "at_s": at_s}
        async with self._db.writing() as tx:
            found = await tx.execute(update(_b).where(_this(batch)).values(values))
            if not found.rowcount:
                return False
            if lie is None or await _lies_kept(tx, batch.operator) >= LISTS_WAIT:
                await _drop_list(tx, batch)  # one with a lie is shown when that is exposed
            for start in range(0, len(good), 500):
                rows = [of | msgspec.structs.asdict(each) for each in good[start : start + 500]]
                await tx.execute(_k.insert(), rows)
        return True

    async def blocks(self, cids: Collection[str]) -> list[Block]:
        """Those with these ids."""
        t = schema.transcript
        query = (
            select(_p.c.number, _p.c.cid, _p.c.session, _p.c.given_ms, t.c.document)
            .outerjoin(t, and_(t.c.session == _p.c.session, _p.c.kind == "transcript"))
            .where(_p.c.cid.in_(list(cids)))
        )
        async with self._db.reading() as tx:
            return [Block(*row) for row in await tx.execute(query)]

    async def kept_lately(
        self, operator: str, tasks: Collection[int], at_s: int, within_s: int
    ) -> set[int]:
        """Those of the tasks that the operator has attested, too, within so many seconds of then."""
        query = (
            select(_k.c.task)
            .where(_k.c.task.in_(list(tasks)), _k.c.operator == operator)
            .where(_k.c.at_s > at_s - within_s, _k.c.at_s < at_s + within_s)
        )
        async with self._db.reading() as tx:
            return set((await tx.scalars(query)).all())

    async def lies(self) -> list[BatchRow]:
        """Batches with a leaf that contradicts its block and that nobody has exposed."""
        query = select(*_BATCH).where(_b.c.lie.is_not(None), _b.c.exposed_number.is_(None))
        async with self._db.reading() as tx:
            return [BatchRow(*row) for row in await tx.execute(query)]

    async def any_keep(
        self, operator: str, point: float, *, since_s: int, first_batch: int
    ) -> Place | None:
        """One of the leaves that the operator keeps and is bound to keep: with a random point of [0, 1), each is as likely
        as its block is large. None where there is none."""
        upto = func.sum(_k.c.bytes).over(order_by=(_k.c.batch, _k.c.task))
        inner = (
            select(_k.c.batch, _k.c.place, upto.label("upto"))
            .join(_b, and_(_b.c.operator == _k.c.operator, _b.c.batch == _k.c.batch))
            .where(_k.c.operator == operator, _k.c.at_s >= since_s, _k.c.batch >= first_batch)
            .where(_b.c.exposed_number.is_(None))
        ).subquery()
        async with self._db.reading() as tx:
            total = await tx.scalar(select(func.max(inner.c.upto)))
            if not total:
                return None
            query = select(inner.c.batch, inner.c.place).where(
                inner.c.upto > int(point * int(total))
            )
            row = (await tx.execute(query.order_by(inner.c.upto).limit(1))).one_or_none()
        return None if row is None else Place(*row)

    # ----------------------------------------------------------------------- challenges

    async def open_challenges(self, challenger: str) -> list[ChallengeRow]:
        """The role's that are not over, oldest first."""
        query = (
            select(*_CHALLENGE)
            .where(_c.c.ended.is_(None), _c.c.challenger == challenger, _c.c.bond == "0")
            .order_by(_c.c.id)
        )
        async with self._db.reading() as tx:
            return [ChallengeRow(*row) for row in await tx.execute(query)]

    async def challenges(self, operator: str, limit: int = 100) -> list[ChallengeRow]:
        """Of an operator, newest first."""
        query = select(*_CHALLENGE).where(_c.c.operator == operator).order_by(_c.c.id.desc())
        async with self._db.reading() as tx:
            return [ChallengeRow(*row) for row in await tx.execute(query.limit(limit))]

    async def asked(self, operator: str, challenger: str) -> Asked:
        """By the role. One that was opened by whoever had the role before counts as open, too."""
        ours = _c.c.challenger == challenger
        query = select(
            func.count().filter(ours),
            func.count().filter(_c.c.ended.is_(None)),
            func.max(_c.c.number),
        ).where(_c.c.operator == operator, _c.c.bond == "0")
        async with self._db.reading() as tx:
            return Asked(*(await tx.execute(query)).one())

    # ----------------------------------------------------------------------- rewards and roots

    async def paying(
        self, operators: Collection[str], *, upto: int, since_s: int, after: int, tasks: int
    ) -> list[Paying]:
        """Good leaves of these operators about the `tasks` tasks behind number `after`, in the order of tasks: of batches that were
        attested by block `upto`, no earlier than `since_s`, and not exposed by then."""
        query = (
            select(_k.c.task, _p.c.cid, _k.c.bytes, _k.c.operator, _k.c.batch, _k.c.at_s)
            .join(_b, and_(_b.c.operator == _k.c.operator, _b.c.batch == _k.c.batch))
            .join(_p, _p.c.number == _k.c.task)
            .where(_k.c.task > after, _k.c.task <= after + tasks, _k.c.at_s > since_s)
            .where(_k.c.operator.in_(list(operators)), _b.c.number <= upto)
            .where(or_(_b.c.exposed_number.is_(None), _b.c.exposed_number > upto))
            .order_by(_k.c.task, _k.c.operator, _k.c.at_s)
        )
        async with self._db.reading() as tx:
            return [Paying(*row) for row in await tx.execute(query)]

    async def last_task(self) -> int:
        """The number of the newest; 0 where there is none."""
        async with self._db.reading() as tx:
            return int(await tx.scalar(select(func.max(_p.c.number))) or 0)

    async def at_fault(self, after: int, upto: int) -> set[str]:
        """Operators that missed a challenge or were exposed in the blocks after one, up to and with another."""
        missed = select(_c.c.operator).where(
            _c.c.ended == "missed", _c.c.ended_number > after, _c.c.ended_number <= upto
        )
        lied = select(_b.c.operator).where(_b.c.exposed_number > after, _b.c.exposed_number <= upto)
        async with self._db.reading() as tx:
            return {*(await tx.scalars(missed)), *(await tx.scalars(lied))}

    async def posted(self, kind: Roots) -> list[Posted]:
        """What the chain last said of each root, in their order."""
        query = select(*_POSTED).where(_r.c.kind == kind).order_by(_r.c.number, _r.c.log_index)
        async with self._db.reading() as tx:
            found = {(row.season, row.ordinal): Posted(*row) for row in await tx.execute(query)}
        return [found[each] for each in sorted(found)]

    async def root_document(self, kind: Roots, season: int, ordinal: int) -> RootDocument | None:
        query = select(*_DOCUMENT).where(
            _d.c.kind == kind, _d.c.season == season, _d.c.ordinal == ordinal
        )
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else RootDocument(*row)

    async def put_root(self, made: RootDocument) -> RootDocument:
        """Idempotent by kind, season and ordinal: the first one stands, and is returned."""
        values = msgspec.structs.asdict(made)
        async with self._db.writing() as tx:
            await tx.execute(self._db.insert(_d).values(values).on_conflict_do_nothing())
        standing = await self.root_document(made.kind, made.season, made.ordinal)
        assert standing is not None, "the insert refuses only what stands"
        return standing

    async def drop_root(self, made: RootDocument) -> None:
        """It was made of what is on the chain no more. Nothing may have been sent for it."""
        which = and_(
            _d.c.kind == made.kind, _d.c.season == made.season,
            _d.c.ordinal == made.ordinal, _d.c.root == made.root,
        )  # fmt: skip
        async with self._db.writing() as tx:
            await tx.execute(delete(_d).where(which))

    # ----------------------------------------------------------------------- replication

    async def task_count(self) -> int:
        """Blocks that are asked for."""
        async with self._db.reading() as tx:
            return int(await tx.scalar(select(func.count()).select_from(_p)) or 0)

    async def keepers(self, standing: Collection[str], since_s: int) -> dict[int, int]:
        """How many blocks have so many keepers among these, by leaves that were attested later than `since_s`; those without any
        are left out. Reads every leaf."""
        counts = _counts(standing, since_s).subquery()
        query = select(counts.c.keepers, func.count()).group_by(counts.c.keepers)
        async with self._db.reading() as tx:
            return {int(keepers): int(blocks) for keepers, blocks in await tx.execute(query)}

    async def fresh_short(
        self, standing: Collection[str], since_s: int, replicas: int, given_ms: int
    ) -> int:
        """Blocks that were asked for after `given_ms` and have fewer keepers."""
        query = _short(standing, since_s, replicas).where(_p.c.given_ms > given_ms).subquery()
        async with self._db.reading() as tx:
            return int(await tx.scalar(select(func.count()).select_from(query)) or 0)

    async def short(
        self, standing: Collection[str], since_s: int, replicas: int, limit: int
    ) -> list[ShortRow]:
        """Blocks with fewer keepers, oldest first, and who these are."""
        query = _short(standing, since_s, replicas).order_by(_p.c.number).limit(limit)
        async with self._db.reading() as tx:
            rows = (await tx.execute(query)).all()
            kept = _binding(standing, since_s).where(_k.c.task.in_([row.number for row in rows]))
            by: dict[int, set[str]] = {}
            for row in await tx.execute(kept):
                by.setdefault(row.task, set()).add(row.operator)
        return [ShortRow(row.number, row.cid, sorted(by.get(row.number, ()))) for row in rows]


def _binding(standing: Collection[str], since_s: int) -> Select[Any]:
    """Leaves by which these operators are bound to keep something."""
    newest = (
        select(_s.c.first_batch)
        .where(_s.c.operator == _k.c.operator)
        .order_by(_s.c.number.desc(), _s.c.log_index.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(_k.c.task, _k.c.operator)
        .join(_b, and_(_b.c.operator == _k.c.operator, _b.c.batch == _k.c.batch))
        .where(_k.c.operator.in_(list(standing)), _k.c.at_s > since_s)
        .where(_b.c.exposed_number.is_(None), _k.c.batch >= newest)
    )


def _counts(standing: Collection[str], since_s: int) -> Select[Any]:
    kept = _binding(standing, since_s).distinct().subquery()
    return select(kept.c.task, func.count().label("keepers")).group_by(kept.c.task)


def _short(standing: Collection[str], since_s: int, replicas: int) -> Select[Any]:
    counts = _counts(standing, since_s).subquery()
    return (
        select(_p.c.number, _p.c.cid)
        .outerjoin(counts, counts.c.task == _p.c.number)
        .where(func.coalesce(counts.c.keepers, 0) < replicas)
    )
