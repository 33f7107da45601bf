"""Share links and the views of them that were verified."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.days import day_began_ms
from server.points_claims import Viewed
from server.shares import new_token
from server.store import accounts, merit, points, schema
from server.store.engine import Database

LINKS = 1_000
"""Links that one account may have."""
VIEWS_KEPT_A_DAY = 100
"""Views of one link that are kept a day; more would only fill the table."""

_s, _v = merit.share, merit.share_view


class TooManyLinks(Exception):
    """The account has LINKS share links already."""


class ShareRow(msgspec.Struct, frozen=True):
    token: str
    account: str
    subject: str
    """`session:<session>` or `agent:<agent>`."""
    made_ms: int


class ShareCard(msgspec.Struct, frozen=True):
    """A link of one's own, and what has come of it."""

    token: str
    subject: str
    """`session:<session>` or `agent:<agent>`."""
    made_ms: int
    views: int
    """Verified ones, of all days; those beyond the bounds of a day are counted here and earn nothing."""


class Shares:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def make(self, account: str, subject: str) -> ShareRow:
        """The account's link to the subject; the one there is, or a new one. Raises TooManyLinks."""
        async with self._db.writing() as tx:
            await accounts.lock(tx, account)
            found = await _of_subject(tx, account, subject)
            if found is not None:
                return found
            links = select(func.count()).where(_s.c.account == account)
            if (await tx.scalar(links) or 0) >= LINKS:
                raise TooManyLinks(f"an account has at most {LINKS} share links")
            row = ShareRow(new_token(), account, subject, self._clock())
            values = msgspec.structs.asdict(row)
            await tx.execute(self._db.insert(_s).values(values).on_conflict_do_nothing())
            standing = await _of_subject(tx, account, subject)
            assert standing is not None, "just written, by us or by somebody at the same time"
            return standing

    async def get(self, token: str) -> ShareRow | None:
        async with self._db.reading() as tx:
            row = (await tx.execute(select(_s).where(_s.c.token == token))).one_or_none()
        return None if row is None else ShareRow(*row)

    async def of_account(
        self, account: str, *, before: str | None = None, limit: int = 20
    ) -> list[ShareCard]:
        """Newest first; `before` is the last token of the page before."""
        views = (
            select(func.count())
            .where(_v.c.token == _s.c.token, _v.c.verified_ms.is_not(None))
            .scalar_subquery()
        )
        query = (
            select(_s.c.token, _s.c.subject, _s.c.made_ms, views)
            .where(_s.c.account == account)
            .order_by(_s.c.made_ms.desc(), _s.c.token.desc())
            .limit(limit)
        )
        if before is not None:
            last = _s.alias("last")
            made_ms = select(last.c.made_ms).where(last.c.token == before).scalar_subquery()
            query = query.where(tuple_(_s.c.made_ms, _s.c.token) < tuple_(made_ms, before))
        async with self._db.reading() as tx:
            return [ShareCard(*row) for row in await tx.execute(query)]

    async def verified(self, share: ShareRow, viewer: str, seen_ms: int) -> bool:
        """A view has been verified: keep it, and grant what it earns. False when it stands already, or
        the link has been looked at enough today."""
        now_ms = self._clock()
        values = {"token": share.token, "viewer": viewer, "seen_ms": seen_ms, "verified_ms": now_ms}
        async with self._db.writing() as tx:
            await accounts.lock(tx, share.account)
            today = select(func.count()).where(
                _v.c.token == share.token, _v.c.verified_ms >= day_began_ms(now_ms)
            )
            if (await tx.scalar(today) or 0) >= VIEWS_KEPT_A_DAY:
                return False
            added = await tx.execute(self._db.insert(_v).values(values).on_conflict_do_nothing())
            if added.rowcount == 0:
                return False
            claim = Viewed(share.token, viewer, share.account, await _own_agent(tx, share))
            await points.add(self._db, tx, [claim], now_ms)
        return True


async def _of_subject(tx: AsyncConnection, account: str, subject: str) -> ShareRow | None:
    query = select(_s).where(_s.c.account == account, _s.c.subject == subject)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else ShareRow(*row)


async def _own_agent(tx: AsyncConnection, share: ShareRow) -> str | None:
    """The agent that the link shows, if it is one of the account that shares it."""
    kind, _, name = share.subject.partition(":")
    if kind != "agent":
        return None
    a = schema.agent
    query = select(a.c.id).where(a.c.id == name, a.c.owner == share.account)
    return await tx.scalar(query)
