"""Logins: opaque tokens of wallets that have signed in. Only their SHA-256 is kept."""

from __future__ import annotations

from sqlalchemy import select, update

from server.clock import Clock
from server.identity import key_hash, new_login
from server.store import schema
from server.store.engine import Database


class Logins:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def begin(self, account: str, ttl_ms: int) -> tuple[str, int]:
        """A new token of an account that exists, and the unix ms until which it opens anything."""
        token, now = new_login(), self._clock()
        async with self._db.writing() as tx:
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
        async with self._db.reading() as tx:
            rows = (await tx.execute(query)).all()
        if not rows:
            return None
        return rows[0][0], frozenset(role for _, role in rows if role is not None)

    async def end(self, token: str) -> bool:
        """The token opens nothing from now on. False when there was nothing to end."""
        o = schema.login
        async with self._db.writing() as tx:
            result = await tx.execute(
                update(o)
                .where(o.c.hash == key_hash(token), o.c.revoked_ms.is_(None))
                .values(revoked_ms=self._clock())
            )
        return result.rowcount == 1
