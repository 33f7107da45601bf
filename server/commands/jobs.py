"""`agon jobs`: what follows sessions and is not done, and the dead letters among it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.running import AsJson, CommandError, ConfigFile, DataDir, load, on_records

if TYPE_CHECKING:
    from server.store import Store
    from server.store.backlog import Job

app = typer.Typer(
    name="jobs",
    help="See what follows sessions and is not done.",
    epilog="Example: agon jobs --state dead --step judge",
    rich_markup_mode=None,
)

MAX_ERROR = 60
"""Characters of an error in the table."""


@app.callback(invoke_without_command=True)
def jobs(
    context: typer.Context,
    state: Annotated[
        list[str] | None,
        typer.Option(help="waiting, running, dead, done or void; repeated for several."),
    ] = None,
    step: Annotated[str | None, typer.Option(help="Only this step, e.g. settle.")] = None,
    session: Annotated[str | None, typer.Option(help="Only what follows this session.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Rows, at most.")] = 100,
    as_json: AsJson = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """See what follows sessions and is not done.

    Lists what waits, runs or is dead, the oldest first; `redrive` has dead ones tried again.
    """
    if context.invoked_subcommand is not None:
        return
    from server.commands import telling
    from server.store.backlog import UNFINISHED
    from server.store.outbox import State

    known = {each.value for each in State}
    if unknown := sorted(set(state or ()) - known):
        raise CommandError(f"no state {unknown[0]!r}; there are: {', '.join(sorted(known))}")
    settings = load(config, data_dir)
    found = on_records(
        settings,
        lambda store: store.backlog.page(
            states=state or UNFINISHED, step=step, session=session, limit=limit
        ),
    )
    if as_json:
        telling.as_json(found)
    else:
        _tell(found)


def _tell(found: list[Job]) -> None:
    from server.clock import unix_ms
    from server.commands import telling

    now_ms = unix_ms()
    telling.table(
        ("id", "state", "age", "step", "session", "tries", "what holds it up"),
        [
            (
                job.id,
                job.state,
                telling.age(job.made_ms, now_ms),
                job.step,
                job.session,
                f"{job.attempts}{' +' if job.redriven else ''}",
                _why(job, now_ms),
            )
            for job in found
        ],
        nothing="nothing waits, runs or is dead",
    )


def _why(job: Job, now_ms: int) -> str:
    from server.commands import telling

    error = (job.error or "")[:MAX_ERROR]
    if job.waits_for is not None:
        return f"waits for {job.waits_for}"
    if job.state == "waiting" and job.due_ms > now_ms:
        return f"again in {telling.age(2 * now_ms - job.due_ms, now_ms)}; {error}".rstrip("; ")
    return error


@app.command(epilog="Example: agon jobs show 01J8…")
def show(
    job: Annotated[str, typer.Argument(help="The id of a row, as `agon jobs` lists it.")],
    as_json: AsJson = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Say all there is to say of one row, with its whole error."""
    from server.clock import unix_ms
    from server.commands import telling

    settings = load(config, data_dir)
    found = on_records(settings, lambda store: store.backlog.get(job))
    if found is None:
        raise CommandError(f"no job {job!r}")
    if as_json:
        telling.as_json(found)
        return
    now_ms = unix_ms()
    lines = {
        "job": found.id,
        "step": f"{found.step} of session {found.session} ({found.space})",
        "state": found.state,
        "made": telling.ago(found.made_ms, now_ms),
        "due": telling.ago(found.due_ms, now_ms) if found.due_ms <= now_ms else "later",
        "attempts": f"{found.attempts}{' since it was redriven' if found.redriven else ''}",
        "waits for": found.waits_for or "nothing",
        "error": found.error or "none",
    }
    for name, value in lines.items():
        print(f"{name:<10} {value}")


@app.command(epilog="Example: agon jobs redrive --all --step judge --reason 'the model is back'")
def redrive(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of dead letters.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All of one step; needs --step.")] = False,
    step: Annotated[str | None, typer.Option(help="With --all: which step.")] = None,
    reason: Annotated[str, typer.Option(help="For the audit log.")] = "redriven by hand",
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Give dead letters all their attempts again, at once."""
    if all_ == bool(ids) or all_ != (step is not None):
        raise CommandError("name the ids of dead letters, or --all with --step")
    settings = load(config, data_dir)
    wanted, driven = on_records(settings, lambda store: _redrive(store, ids or [], step, reason))
    for each in driven:
        print(each)
    if left := [each for each in wanted if each not in driven]:
        raise CommandError(f"not dead, so not redriven: {', '.join(left)}")
    if not driven:
        raise CommandError(f"no dead letter of the step {step!r}")


async def _redrive(
    store: Store, ids: list[str], step: str | None, reason: str
) -> tuple[list[str], list[str]]:
    from server.admin import Acts
    from server.store.audit import OPERATOR

    wanted = ids if step is None else list(await store.backlog.dead(step))
    return wanted, await Acts(store).redrive(wanted, actor=OPERATOR, reason=reason)
