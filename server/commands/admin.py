"""`agon admin`: what an operator does to an arena and sees of it, at the machine that has its database.

Every act is a line of the audit log, by `operator`. Accounts with the role `admin` do the same over HTTP.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands import admin_looks, season
from server.commands.running import CommandError, ConfigFile, DataDir, load, on_records

if TYPE_CHECKING:
    from server.admin import Acts
    from server.store import Store
    from server.store.audit import AuditEntry

app = typer.Typer(
    name="admin",
    help="Void sessions, freeze agents, give roles, look around.",
    epilog="Example: agon admin void 01J8… --reason 'the oracle was wrong'",
    no_args_is_help=True,
    rich_markup_mode=None,
)

admin_looks.join(app)
app.add_typer(season.app)

Reason = Annotated[str, typer.Option(help="One line for the audit log; players may read it.")]
WAIT_S = 60.0
LOOK_S = 0.2


@app.command(epilog="Example: agon admin void 01J8… --reason 'the oracle was wrong'")
def void(
    session: Annotated[str, typer.Argument(help="A session that has not been settled.")],
    reason: Reason,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until its entries are back.")
    ] = True,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Have a session count for nothing and its entries paid back."""
    from server.store.audit import OPERATOR

    async def work(store: Store) -> str:
        await _acts(store).void(session, actor=OPERATOR, reason=reason)
        if not wait:
            return (
                f"session {session} is being voided; `agon jobs --session {session}` says how far"
            )
        return await _returned(store, session)

    print(on_records(load(config, data_dir), work))


async def _returned(store: Store, session: str) -> str:
    import asyncio

    from server.ledger.tiers import money

    try:
        async with asyncio.timeout(WAIT_S):
            # a worker does it, in another process
            while (result := await store.results.get(session)) is None:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise CommandError(
            f"the session will be void, but its entries are not back after {WAIT_S:g} s: does a "
            f"worker run? `agon jobs --session {session}` says what holds it up"
        ) from None
    if not result.pot_micros:
        return f"session {session} is void; nothing was at stake"
    return f"session {session} is void; {money(result.pot_micros, result.asset)} went back"


@app.command(epilog="Example: agon admin freeze 01J8… --reason 'plays against itself'")
def freeze(
    agent: Annotated[str, typer.Argument(help="An agent's id.")],
    reason: Reason,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Have an agent play no more once what it plays now is over."""
    _act(config, data_dir, lambda acts, actor: acts.freeze(agent, actor=actor, reason=reason))


@app.command(epilog="Example: agon admin unfreeze 01J8… --reason 'it was its twin'")
def unfreeze(
    agent: Annotated[str, typer.Argument(help="An agent's id.")],
    reason: Reason,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Let a frozen agent play again; its automation stays stopped."""
    _act(config, data_dir, lambda acts, actor: acts.unfreeze(agent, actor=actor, reason=reason))


Account = Annotated[str, typer.Argument(help="An account's id, or the wallet it signs in with.")]
Role = Annotated[str, typer.Argument(help="admin, judge or operator.")]


@app.command("grant-role", epilog="Example: agon admin grant-role 0xd8dA… admin --reason 'on call'")
def grant_role(
    account: Account,
    role: Role,
    reason: Reason,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Give an account a role; the first admin is made so."""

    async def work(store: Store) -> AuditEntry:
        from server.store.audit import OPERATOR

        id_ = await _account_id(store, account)
        return await _acts(store).grant_role(id_, role, actor=OPERATOR, reason=reason)

    _done(on_records(load(config, data_dir), work))


@app.command(
    "revoke-role", epilog="Example: agon admin revoke-role 01J8… admin --reason 'has left'"
)
def revoke_role(
    account: Account,
    role: Role,
    reason: Reason,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Take a role from an account."""

    async def work(store: Store) -> AuditEntry:
        from server.store.audit import OPERATOR

        id_ = await _account_id(store, account)
        return await _acts(store).revoke_role(id_, role, actor=OPERATOR, reason=reason)

    _done(on_records(load(config, data_dir), work))


def _act(
    config: ConfigFile,
    data_dir: DataDir,
    act: Callable[[Acts, str], Awaitable[AuditEntry]],
) -> None:
    async def work(store: Store) -> AuditEntry:
        from server.store.audit import OPERATOR

        return await act(_acts(store), OPERATOR)

    _done(on_records(load(config, data_dir), work))


def _done(entry: AuditEntry) -> None:
    print(f"{entry.act} {entry.subject}: {entry.reason}")


def _acts(store: Store) -> Acts:
    from server.admin import Acts

    return Acts(store)


async def _account_id(store: Store, name: str) -> str:
    if not name.lower().startswith("0x"):
        return name
    from eth_utils.address import is_address, to_checksum_address

    account = (
        await store.accounts.of_wallet(to_checksum_address(name)) if is_address(name) else None
    )
    if account is None:
        raise CommandError(f"no account signs in with the wallet {name}")
    return account.account
