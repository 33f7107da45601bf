"""`agon pins`: the transcripts, results and epochs in the content store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from server.commands.running import (
    AsJson,
    CommandError,
    ConfigFile,
    DataDir,
    load,
    on_records,
    run_async,
)

if TYPE_CHECKING:
    from chain.content.ipfs import Ipfs
    from server.config import Config
    from server.operators.replication import Health, Short
    from server.store import Store

T = TypeVar("T")

Season = Annotated[int | None, typer.Option(min=1, help="Only this season's.")]

app = typer.Typer(
    name="pins",
    help="List, carry and check what is in the content store.",
    epilog="Example: agon pins verify --mend",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(
    short_help="List what is pinned of one kind.",
    epilog="Example: agon pins ls --season 1 --state lost",
)
def ls(
    season: Season = None,
    state: Annotated[str | None, typer.Option(help="pinned or lost.")] = None,
    seasons: Annotated[bool, typer.Option(help="A line for each season instead.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Lines at most.")] = 100,
    after: Annotated[
        str, typer.Option(help="Those behind this session, or number of an epoch.")
    ] = "",
    kind: Annotated[str, typer.Option(help="transcript, result, epoch or payouts.")] = "transcript",
    as_json: AsJson = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """List what is pinned of one kind, and its ids, in the order of sessions or epochs."""
    from server.commands import telling

    if state not in (None, "pinned", "lost"):
        raise CommandError(f"--state {state!r}: expected pinned or lost")
    if kind not in ("transcript", "result", "epoch", "payouts"):
        raise CommandError(f"--kind {kind!r}: expected transcript, result, epoch or payouts")
    settings = load(config, data_dir)
    if seasons:
        totals = on_records(
            settings,
            lambda store: (
                store.pins.by_season()
                if kind == "transcript"
                else store.document_pins.by_season(kind)  # type: ignore[arg-type]
            ),
        )
        if as_json:
            telling.as_json(totals)
            return
        told = [(str(t.season), str(t.pins), str(t.bytes), str(t.lost)) for t in totals]
        telling.table(("season", "pinned", "bytes", "lost"), told, nothing="nothing is pinned")
        return
    wanted: dict[str, Any] = {"season": season, "state": state, "limit": limit}
    found: list[Any] = on_records(
        settings,
        lambda store: (
            store.pins.page(**wanted, after=after)
            if kind == "transcript"
            else store.document_pins.page(**wanted, kind=kind, after=(kind, after))  # type: ignore[arg-type]
        ),
    )
    if as_json:
        telling.as_json(found)
        return
    # lines, not columns: half an id is none
    for row in found:
        name = row.session if kind == "transcript" else row.name
        words = f"season {row.season}, {row.bytes} bytes, {row.state} {telling.ago(row.pinned_ms)}"
        print(f"{name} {row.cid} {words}")
    if not found:
        print("nothing is pinned")


@app.command(
    short_help="Write a season as one archive (CAR).",
    epilog="Example: agon pins export --season 1 --out season-1.car",
)
def export(
    season: Annotated[int, typer.Option(min=1, help="The season.")],
    out: Annotated[
        Path, typer.Option(help="The file to write; one that stands there is replaced.")
    ],
    as_json: AsJson = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Write a season's transcripts, results and epochs as one archive (CAR), which any IPFS imports.

    Its root is a directory of all of them; it is pinned here, too.
    """
    from server import pins
    from server.commands import telling

    settings = load(config, data_dir)
    found = _on_content(settings, lambda store, ipfs: pins.export(store, ipfs, season, out))
    if as_json:
        telling.as_json(found)
    else:
        more = f", {found.documents} results and documents of epochs" if found.documents else ""
        print(f"{out}: {found.sessions} transcripts{more}, {found.bytes} bytes, root {found.root}")


@app.command("import", epilog="Example: agon pins import season-1.car")
def import_(
    file: Annotated[Path, typer.Argument(help="An archive (CAR).")],
    as_json: AsJson = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Put an archive into the content store, and pin its roots.

    Every block in it is checked. Exit status 1 where a root could not be pinned.
    """
    from server import pins
    from server.commands import telling

    settings = load(config, data_dir)
    roots = _on_content(settings, lambda _, ipfs: pins.import_file(ipfs, file))
    if as_json:
        telling.as_json([{"root": str(each.root), "error": each.error} for each in roots])
    else:
        for each in roots:
            print(f"{each.root} {each.error or 'pinned'}")
    if any(each.error for each in roots):
        raise typer.Exit(1)


@app.command(
    short_help="Fetch every pinned document and compare it.",
    epilog="Example: agon pins verify --mend",
)
def verify(
    season: Season = None,
    mend: Annotated[
        bool,
        typer.Option(help="Keep what is missing anew; have what nobody asked to pin pinned."),
    ] = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Fetch every pinned document by its id, and compare it with what the database has.

    Exit status 1 where something is missing or another, and was not mended.
    """
    from server import pins
    from server.commands import telling

    settings = load(config, data_dir)
    found = _on_content(
        settings, lambda store, ipfs: pins.verify(store, ipfs, season=season, mend=mend)
    )
    if as_json:
        telling.as_json(found)
    else:
        for line in pins.lines(found):
            print(line)
    if len(found.findings) > found.mended:
        raise typer.Exit(1)


@app.command(epilog="Example: agon pins health --short 20")
def health(
    short: Annotated[
        int,
        typer.Option(
            min=0, max=1_000, help="Blocks with too few keepers to list, with who is to keep them."
        ),
    ] = 0,
    as_json: AsJson = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Show how many node operators keep what they are asked to keep.

    Exit status 1 where a block that was asked for an hour ago or longer has too few keepers.
    """
    from server.commands import telling

    settings = load(config, data_dir)
    if settings.settlement != "chain":
        raise CommandError(
            "node operators are on a chain: this arena has none, as its settlement is simulated (where `agon serve` was"
            " started with AGON_SETTLEMENT=chain, this command needs it, too)"
        )
    found, blocks = run_async(lambda: _health(settings, short))
    if as_json:
        telling.as_json({"health": found, "short": blocks})
    else:
        for count, number in sorted(found.keepers.items(), reverse=True):
            more = " or more" if count == found.replicas else ""
            print(f"{number} blocks with {count} keepers{more}")
        print(
            f"{found.tasks} blocks, {found.short} too few keepers; {len(found.standing)} operators stand,"
            f" {found.replicas} are to keep each block"
        )
        for each in blocks:
            kept, missing = (", ".join(some) or "nobody" for some in (each.kept_by, each.missing))
            print(f"{each.number} {each.cid} kept by {kept}; missing: {missing}")
    if found.short:
        raise typer.Exit(1)


async def _health(settings: Config, short: int) -> tuple[Health, list[Short]]:
    """Raises CommandError, ConfigError, ServiceFailed."""
    from chain.client.operators import Operators
    from server.clock import unix_ms
    from server.commands import opening
    from server.embedded.data_dir import DataDir as Folder
    from server.operators import replication
    from server.settlement import contracts

    with Folder(settings.data_dir) as data:
        found = await contracts.find(settings, data)
        try:
            terms = await Operators(found.node, found.manifest.address("operators")).terms()
        except OSError as error:
            raise CommandError(str(error)) from None
        finally:
            await found.close()
    about = (terms.min_stake, terms.retention_s, settings.pin_replicas, unix_ms())
    async with opening.records(settings) as store:
        seen = await replication.look(store.operators, *about)
        blocks = await replication.short(store.operators, *about, short) if short else []
    return seen, blocks


def _on_content(settings: Config, work: Callable[[Store, Ipfs], Awaitable[T]]) -> T:
    """Do something on the arena's database and its content store. Raises CommandError."""

    async def opened() -> T:
        from chain.content.errors import IpfsError
        from chain.content.ipfs import Ipfs
        from chain.content.rpc import BadUrl
        from server.commands import opening

        try:
            async with (
                opening.records(settings) as store,
                opening.content(settings) as url,
                Ipfs(url) as ipfs,
            ):
                return await work(store, ipfs)
        except (IpfsError, BadUrl) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename or 'a file'}: {error.strerror or error}") from None

    return run_async(opened)
