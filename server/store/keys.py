"""API keys: of an account, with scopes, or of one agent, to play as it. Only their SHA-256 is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import msgspec
from sqlalchemy import ColumnElement, func, select, update

from server.clock import Clock
from server.identity import key_hash, new_id, new_key
from server.store import accounts, schema
from server.store.agents import HOST_SCOPE
from server.store.engine import Database

Scope = Literal["read", "play", "manage", "money"]
SCOPES: frozenset[str] = frozenset(get_args(Scope))


MAX_KEYS = 100
"""Keys that an account, or an agent, has at once."""


class TooManyKeys(ValueError):
    """One more would be above MAX_KEYS."""


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


class Keys:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def issue(
        self, account: str, scopes: Iterable[str], label: str, *, agent: str | None = None
    ) -> tuple[Key, str]:
        """A new key, and what it is in clear: not kept, and shown this once.

        The caller has checked that the agent is the account's and that it may give these scopes. Raises
        TooManyKeys.
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
        )
        row = msgspec.structs.asdict(key) | {"hash": key_hash(clear), "scopes": ",".join(chosen)}
        live = select(func.count()).select_from(schema.api_key).where(_live(account, agent))
        async with self._db.writing() as tx:
            await accounts.lock(tx, account)
            if (await tx.execute(live)).scalar_one() >= MAX_KEYS:
                raise TooManyKeys(f"there are {MAX_KEYS} keys already; revoke one that is not used")
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
        async with self._db.looking() as tx:
            rows = (await tx.execute(query)).all()
        if not rows:
            return None
        account, agent, scopes, _ = rows[0]
        roles = frozenset(role for *_, role in rows if role is not None)
        return Holder(account, agent, frozenset(scopes.split(",")), roles)

    async def of_account(self, account: str) -> list[Key]:
        """The account's own keys that are not revoked, oldest first."""
        return await self._list(account, None)

    async def of_agent(self, account: str, agent: str) -> list[Key]:
        """The keys that may play as the account's agent and are not revoked, oldest first."""
        return await self._list(account, agent)

    async def revoke(self, id: str, *, account: str, agent: str | None = None) -> bool:
        """The key opens nothing from now on. False when there is no such key of that account (and
        agent), or it was revoked before."""
        k = schema.api_key
        async with self._db.writing() as tx:
            result = await tx.execute(
                update(k)
                .where(k.c.id == id, _live(account, agent))
                .values(revoked_ms=self._clock())
            )
        return result.rowcount == 1

    async def revoked_since(self, since_ms: int) -> frozenset[str]:
        """The SHA-256 (`identity.key_hash`) of every key that was revoked at that time or later."""
        k = schema.api_key
        async with self._db.looking() as tx:
            found = await tx.execute(select(k.c.hash).where(k.c.revoked_ms >= since_ms))
        return frozenset(found.scalars())

    async def _list(self, account: str, agent: str | None) -> list[Key]:
        k = schema.api_key
        query = (
            select(k.c.id, k.c.account, k.c.agent, k.c.scopes, k.c.label, k.c.created_ms)
            .where(_live(account, agent))
            .order_by(k.c.created_ms, k.c.id)
        )
        async with self._db.reading() as tx:
            rows = (await tx.execute(query)).all()
        return [
            Key(
                id=row.id,
                account=row.account,
                agent=row.agent,
                scopes=row.scopes.split(","),
                label=row.label,
                created_ms=row.created_ms,
            )
            for row in rows
        ]


def _live(account: str, agent: str | None) -> ColumnElement[bool]:
    k = schema.api_key
    of_agent = k.c.agent.is_(None) if agent is None else k.c.agent == agent
    # The runner's keys are the arena's: they come and go by themselves (`server.store.hosting`).
    owners = k.c.scopes != HOST_SCOPE
    return (k.c.account == account) & of_agent & owners & k.c.revoked_ms.is_(None)
