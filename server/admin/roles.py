"""Giving accounts roles and taking them away, within the transaction of the act."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.admin.refused import Refused, unknown
from server.store import audit, schema
from server.store.engine import Database

ROLES = ("admin", "judge", "operator")

_role = schema.account_role


async def grant(db: Database, tx: AsyncConnection, account: str, role: str) -> None:
    """Raises Refused when there is no such account or role, or the account has it."""
    await _check(tx, account, role)
    added = await tx.execute(
        db.insert(_role).values(account=account, role=role).on_conflict_do_nothing()
    )
    if added.rowcount != 1:
        raise Refused("conflict", "no-change", f"account {account} has the role {role}")


async def revoke(tx: AsyncConnection, account: str, role: str, *, actor: str) -> None:
    """Raises Refused when the account does not have the role, and when an admin takes it from the last
    admin: only the operator's machine could give it back."""
    await _check(tx, account, role)
    if role == "admin" and actor != audit.OPERATOR:
        await _keep_an_admin(tx, account)
    gone = await tx.execute(delete(_role).where(_role.c.account == account, _role.c.role == role))
    if gone.rowcount != 1:
        raise Refused("conflict", "no-change", f"account {account} does not have the role {role}")


async def _check(tx: AsyncConnection, account: str, role: str) -> None:
    if role not in ROLES:
        known = ", ".join(ROLES)
        raise Refused("invalid", "unknown-role", f"no role {role!r}; there are: {known}")
    a = schema.account
    if await tx.scalar(select(a.c.id).where(a.c.id == account)) is None:
        raise unknown("account", account)


async def _keep_an_admin(tx: AsyncConnection, account: str) -> None:
    query = select(_role.c.account).where(_role.c.role == "admin").with_for_update()
    if list((await tx.scalars(query)).all()) == [account]:
        raise Refused(
            "conflict",
            "last-admin",
            "this is the last admin; `agon admin revoke-role` at the operator's machine can do it",
        )
