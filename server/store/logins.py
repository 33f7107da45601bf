"""Logins: opaque tokens of wallets that have signed in. Only their SHA-256 is kept."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, select, update

from server.clock import Clock
from server.identity import key_hash, new_login
from server.store import schema
from server.store.engine import Database

MAX_OPEN = 100
"""Logins that one account has open at once; one more ends the oldest."""


class Login(msgspec.Struct, frozen=True):
    """What is known of a login: not what opens anything."""

    id: str
    """SHA-256 of the token, hex."""
    created_ms: int
    expires_ms: int


class Logins:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def begin(self, account: str, ttl_ms: int) -> tuple[str, int]:
        """A new token of an account that exists, and the unix ms until which it opens anything."""
        token, now = new_login(), self._clock()
        o = schema.login
        kept = (
            select(o.c.hash)
            .where(o.c.account == account, o.c.revoked_ms.is_(None), o.c.expires_ms > now)
            .order_by(o.c.created_ms.desc(), o.c.hash)
            .limit(MAX_OPEN - 1)
        )
        async with self._db.writing() as tx:
            # Here, since nobody else looks after them: what opens nothing any more is not kept.
            await tx.execute(delete(o).where(o.c.account == account, o.c.hash.not_in(kept)))
            await tx.execute(
                schema.login.insert().values(
                    hash=key_hash(token), account=account, created_ms=now, expires_ms=now + ttl_ms
                )
            )
        return token, now + ttl_ms

    async def account_of(self, token: str) -> tuple[str, frozenset[str]] | None:
        """The token's account and the account's roles; None when it is unknown, expired or ended."""
        o, r = schema.login, schema.account_role
        query = (
            select(o.c.account, r.c.role)
            .join_from(o, r, r.c.account == o.c.account, isouter=True)
            .where(
                o.c.hash == key_hash(token),
                o.c.revoked_ms.is_(None),
                o.c.expires_ms > self._clock(),
            )
        )
        async with self._db.looking() as tx:
            rows = (await tx.execute(query)).all()
        if not rows:
            return None
        return rows[0][0], frozenset(role for _, role in rows if role is not None)

    async def of_account(self, account: str) -> list[Login]:
        """The open ones, newest first."""
        o = schema.login
        query = (
            select(o.c.hash, o.c.created_ms, o.c.expires_ms)
            .where(o.c.account == account, o.c.revoked_ms.is_(None))
            .where(o.c.expires_ms > self._clock())
            .order_by(o.c.created_ms.desc(), o.c.hash)
            .limit(MAX_OPEN)
        )
        async with self._db.reading() as tx:
            return [Login(*row) for row in (await tx.execute(query)).all()]

    async def end(self, id: str, *, account: str) -> bool:
        """The login opens nothing from now on. False when the account has no such open login."""
        o = schema.login
        async with self._db.writing() as tx:
            result = await tx.execute(
                update(o)
                .where(o.c.hash == id, o.c.account == account, o.c.revoked_ms.is_(None))
                .values(revoked_ms=self._clock())
            )
        return result.rowcount == 1
