"""Accounts: their wallets and roles."""

from __future__ import annotations

from typing import Literal

import msgspec
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.identity import HOUSE_OWNER, new_id
from server.store import schema
from server.store.engine import Database

Role = Literal["admin", "judge", "operator"]


class WalletTaken(ValueError):
    """The wallet is bound to another account; accounts are never merged."""


class WalletBound(ValueError):
    """The account has another wallet already."""


class UnknownAccount(LookupError):
    """There is no such account."""


class Account(msgspec.Struct, frozen=True):
    """Who owns agents and money."""

    account: str
    wallet: str | None
    """EIP-55; null where no wallet has signed in yet. Only an account with a wallet can be paid."""
    created_ms: int


async def lock(tx: AsyncConnection, account: str) -> None:
    """Whoever counts what an account has, to see whether one more may be made, holds this until it is made: two that
    count at once would both find room for the last one. Rows that refer to the account can be written meanwhile."""
    a = schema.account
    await tx.execute(select(a.c.id).where(a.c.id == account).with_for_update(key_share=True))


class Accounts:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def get(self, account: str) -> Account | None:
        return await self._one(schema.account.c.id == account)

    async def of_wallet(self, wallet: str) -> Account | None:
        """`wallet` in EIP-55 spelling, as everywhere in the store."""
        return await self._one(schema.account.c.wallet == wallet)

    async def with_wallet(self, wallet: str) -> Account:
        """The wallet's account, made now if there is none. Signing in twice at once makes one."""
        async with self._db.writing() as tx:
            await tx.execute(
                self._db.insert(schema.account)
                .values(id=new_id(), wallet=wallet, created_ms=self._clock())
                .on_conflict_do_nothing()
            )
        found = await self.of_wallet(wallet)
        assert found is not None, "just made, and wallets are never taken away"
        return found

    async def bind(self, account: str, wallet: str) -> Account:
        """Give an account its wallet; the same one again changes nothing.

        Raises UnknownAccount, WalletBound (the account has another), WalletTaken (another account's).
        """
        if account == HOUSE_OWNER:
            raise WalletBound("the house's account is the operator's own and has no wallet")
        if await self.get(account) is None:
            raise UnknownAccount(f"unknown account {account!r}")
        try:
            async with self._db.writing() as tx:
                await tx.execute(
                    update(schema.account)
                    .where(schema.account.c.id == account, schema.account.c.wallet.is_(None))
                    .values(wallet=wallet)
                )
        except IntegrityError:
            raise WalletTaken(f"the wallet {wallet} belongs to another account") from None
        bound = await self.get(account)
        assert bound is not None
        if bound.wallet != wallet:
            raise WalletBound(f"the account has the wallet {bound.wallet} already")
        return bound

    async def bind_house(self, wallet: str) -> None:
        """Give the house its wallet, as the operator has configured it: nobody else can. Idempotent.

        Raises WalletBound where it has another, WalletTaken where somebody has signed in with it.
        """
        a = schema.account
        try:
            async with self._db.writing() as tx:
                await tx.execute(
                    self._db.insert(a)
                    .values(id=HOUSE_OWNER, created_ms=self._clock())
                    .on_conflict_do_nothing()
                )
                await tx.execute(
                    update(a)
                    .where(a.c.id == HOUSE_OWNER, a.c.wallet.is_(None))
                    .values(wallet=wallet)
                )
                bound = await tx.scalar(select(a.c.wallet).where(a.c.id == HOUSE_OWNER))
        except IntegrityError:
            raise WalletTaken(f"the wallet {wallet} belongs to another account") from None
        if bound != wallet:
            raise WalletBound(f"the house has the wallet {bound} already")

    async def roles(self, account: str) -> frozenset[str]:
        query = select(schema.account_role.c.role).where(schema.account_role.c.account == account)
        async with self._db.looking() as tx:
            return frozenset((await tx.execute(query)).scalars())

    async def grant(self, account: str, role: Role) -> bool:
        """False when the account had the role already. Raises UnknownAccount."""
        if await self.get(account) is None:
            raise UnknownAccount(f"unknown account {account!r}")
        async with self._db.writing() as tx:
            result = await tx.execute(
                self._db.insert(schema.account_role)
                .values(account=account, role=role)
                .on_conflict_do_nothing()
            )
        return result.rowcount == 1

    async def withdraw(self, account: str, role: Role) -> bool:
        """The role ends with the account's next request. False when it did not have it."""
        r = schema.account_role
        async with self._db.writing() as tx:
            result = await tx.execute(r.delete().where(r.c.account == account, r.c.role == role))
        return result.rowcount == 1

    async def _one(self, which: ColumnElement[bool]) -> Account | None:
        a = schema.account
        query = select(a.c.id, a.c.wallet, a.c.created_ms).where(which)
        async with self._db.looking() as tx:
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else Account(*row)
