"""`agon admin`, the part that only looks: sessions, queues, jobs, the ledger, the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.running import (
    AsJson,
    ConfigFile,
    DataDir,
    load,
    on_live_state,
    on_records,
)

if TYPE_CHECKING:
    from server.config import Config
    from server.store import Store

Limit = Annotated[int, typer.Option(min=1, max=500, help="Rows, at most.")]


def join(app: typer.Typer) -> None:
    """Hang these commands into `agon admin`."""
    for command in (sessions, queues, jobs, ledger, audit):
        app.command(epilog=_EXAMPLES[command.__name__])(command)


_EXAMPLES = {
    "sessions": "Example: agon admin sessions --limit 20",
    "queues": "Example: agon admin queues",
    "jobs": "Example: agon admin jobs",
    "ledger": "Example: agon admin ledger",
    "audit": "Example: agon admin audit --act void",
}


def sessions(
    limit: Limit = 100,
    as_json: AsJson = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """List live sessions and their hosts, the oldest first."""
    from server.admin import overview
    from server.commands import telling

    found = on_live_state(
        load(config, data_dir), lambda store, redis: overview.live_sessions(store, redis, limit)
    )
    if as_json:
        telling.as_json(found)
        return
    telling.table(
        ("session", "space", "tier", "status", "age", "host", "agents"),
        [
            (
                each.session,
                each.space,
                _tier(each.tier_micros),
                each.status,
                telling.age(each.opened_ms),
                each.host or "nobody",
                " ".join(each.agents),
            )
            for each in found
        ],
        nothing="no session is live",
    )


def queues(as_json: AsJson = False, config: ConfigFile = None, data_dir: DataDir = None) -> None:
    """List the queues, who waits in them, and who leads them."""
    from server.admin import overview
    from server.commands import telling

    settings = load(config, data_dir)
    found = on_live_state(
        settings, lambda _, redis: overview.queue_states(redis, settings.tiers_open)
    )
    if as_json:
        telling.as_json(found)
        return
    telling.table(
        ("space", "tier", "waiting", "offered", "longest", "leader"),
        [
            (
                each.space,
                _tier(each.tier_micros),
                str(each.waiting),
                str(each.offered),
                telling.age(each.oldest_ms),
                each.leader or "nobody",
            )
            for each in found
        ],
        nothing="there is no queue",
    )


def jobs(as_json: AsJson = False, config: ConfigFile = None, data_dir: DataDir = None) -> None:
    """Count unfinished jobs by step; `agon jobs` lists them."""
    from server.clock import unix_ms
    from server.commands import telling

    found = on_records(load(config, data_dir), lambda store: store.backlog.load(unix_ms()))
    if as_json:
        telling.as_json(found)
        return
    telling.table(
        ("step", "waiting", "due", "for", "running", "dead"),
        [
            (
                each.step,
                str(each.waiting),
                str(each.due),
                telling.age(each.oldest_due_ms),
                str(each.running),
                str(each.dead),
            )
            for each in found
        ],
        nothing="nothing is unfinished",
    )


def ledger(as_json: AsJson = False, config: ConfigFile = None, data_dir: DataDir = None) -> None:
    """Check that the ledger is sound, reading all of it.

    Where there is an escrow, also that it holds what the ledger believes. Exit status 1 when an invariant does not hold.
    """
    from server.commands import telling

    settings = load(config, data_dir)

    async def work(store: Store) -> list[str]:
        found = await store.ledger.audit()
        return found + (await _against_escrow(settings, store) if _on_chain(settings) else [])

    violations = on_records(settings, work)
    if as_json:
        telling.as_json({"sound": not violations, "violations": violations})
    else:
        for violation in violations:
            print(violation)
        print(f"{len(violations)} violations" if violations else "the ledger is sound")
    raise typer.Exit(1 if violations else 0)


def _on_chain(settings: Config) -> bool:
    return settings.settlement == "chain"


async def _against_escrow(settings: Config, store: Store) -> list[str]:
    from server.embedded.data_dir import DataDir
    from server.settlement import compare, contracts

    with DataDir(settings.data_dir) as data:
        found = await contracts.find(settings, data)
        try:
            return await compare.violation(store.database, found)
        finally:
            await found.close()


def audit(
    subject: Annotated[
        str | None, typer.Option(help="Only acts on this session, agent, account or job.")
    ] = None,
    act: Annotated[str | None, typer.Option(help="Only acts of this kind, e.g. void.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """List what admins did, newest first."""
    from server.commands import telling

    found = on_records(
        load(config, data_dir),
        lambda store: store.audit.page(subject=subject, act=act, limit=limit),
    )
    if as_json:
        telling.as_json(found)
        return
    telling.table(
        ("age", "actor", "act", "subject", "reason"),
        [
            (telling.age(each.at_ms), each.actor, each.act, each.subject, each.reason)
            for each in found
        ],
        nothing="no admin has done anything",
    )


def _tier(micros: int) -> str:
    from server.ledger.tiers import USDC, money

    return money(micros, USDC) if micros else "free"
