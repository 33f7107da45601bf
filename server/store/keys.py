"""API keys: of an account, with scopes, or of one agent, to play as it. Only their SHA-256 is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import msgspec
from sqlalchemy import ColumnElement, select, update

from server.clock import Clock
from server.identity import key_hash, new_id, new_key
from server.store import schema
from server.store.engine import Database

Scope = Literal["read", "play", "manage", "money"]
SCOPES: frozenset[str] = frozenset(get_args(Scope))


class Holder(msgspec.Struct, frozen=True):
    """Whom a key speaks for."""

    account: str
    agent: str | None
    """The one agent that it may play as; null for a key of the account."""
    scopes: frozenset[str]
    roles: frozenset[str]
    """The account's."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key once it has been shown: not what opens anything."""

    id: str
    account: str
    agent: str | None
    scopes: list[str]
    label: str
    created_ms: int
    revoked_ms: int | None


class Keys:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def issue(
        self, account: str, scopes: Iterable[str], label: str, *, agent: str | None = None
    ) -> tuple[Key, str]:
        """A new key, and what it is in clear: not kept, and shown this once.

        The caller has checked that the agent is the account's and that it may give these scopes.
        """
        chosen = sorted(set(scopes))
        assert chosen, "a key without scopes opens nothing"
        assert set(chosen) <= SCOPES, f"no such scopes: {chosen}"
        clear = new_key()
        key = Key(
            id=new_id(),
            account=account,
            agent=agent,
            scopes=chosen,
            label=label,
            created_ms=self._clock(),
            revoked_ms=None,
        )
        row = msgspec.structs.asdict(key) | {"hash": key_hash(clear), "scopes": ",".join(chosen)}
        async with self._db.writing() as tx:
            await tx.execute(schema.api_key.insert().values(row))
        return key, clear

    async def holder(self, clear: str) -> Holder | None:
        """Whom the key speaks for; None when it is unknown or revoked."""
        k, r = schema.api_key, schema.account_role
        query = (
            select(k.c.account, k.c.agent, k.c.scopes, r.c.role)
            .join_from(k, r, r.c.account == k.c.account, isouter=True)
            .where(k.c.hash == key_hash(clear), k.c.revoked_ms.is_(None))
        )
        async with self._db.reading() as tx:
            rows = (await tx.execute(query)).all()
        if not rows:
            return None
        account, agent, scopes, _ = rows[0]
        roles = frozenset(role for *_, role in rows if role is not None)
        return Holder(account, agent, frozenset(scopes.split(",")), roles)

    async def of_account(self, account: str) -> list[Key]:
        """The account's own keys, revoked ones included, oldest first."""
        k = schema.api_key
        return await self._list((k.c.account == account) & k.c.agent.is_(None))

    async def of_agent(self, agent: str) -> list[Key]:
        """The keys that may play as the agent, revoked ones included, oldest first."""
        return await self._list(schema.api_key.c.agent == agent)

    async def revoke(self, id: str, *, account: str, agent: str | None = None) -> bool:
        """The key opens nothing from now on. False when there is no such key of that account (and
        agent), or it was revoked before."""
        k = schema.api_key
        async with self._db.writing() as tx:
            result = await tx.execute(
                update(k)
                .where(k.c.id == id, k.c.account == account, k.c.revoked_ms.is_(None))
                .where(k.c.agent.is_(None) if agent is None else k.c.agent == agent)
                .values(revoked_ms=self._clock())
            )
        return result.rowcount == 1

    async def _list(self, which: ColumnElement[bool]) -> list[Key]:
        k = schema.api_key
        query = select(
            k.c.id, k.c.account, k.c.agent, k.c.scopes, k.c.label, k.c.created_ms, k.c.revoked_ms
        )
        async with self._db.reading() as tx:
            rows = (await tx.execute(query.where(which).order_by(k.c.created_ms, k.c.id))).all()
        return [
            Key(
                id=row.id,
                account=row.account,
                agent=row.agent,
                scopes=row.scopes.split(","),
                label=row.label,
                created_ms=row.created_ms,
                revoked_ms=row.revoked_ms,
            )
            for row in rows
        ]
