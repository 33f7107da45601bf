"""`agon results`: the published results, written to a file, and checked from one."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.running import AsJson, CommandError, ConfigFile, DataDir, load, run_async

if TYPE_CHECKING:
    from server.config import Config
    from server.official.document import ResultsFile

app = typer.Typer(
    name="results",
    help="Write and check files of all settled results.",
    epilog="Example: agon results export --space rap-battle --out rap-battle.parquet",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(epilog="Example: agon results export --space rap-battle --out rap-battle.parquet")
def export(
    space: Annotated[str, typer.Option(help="The Space, e.g. rap-battle.")],
    out: Annotated[
        Path, typer.Option(help="The file to write; one that stands there is replaced.")
    ],
    as_json: AsJson = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Write a Space's settled results as a file."""
    settings = load(config, data_dir)
    source = run_async(lambda: _export(settings, space, out))
    if as_json:
        from server.commands import telling

        telling.as_json(source)
    else:
        print(f"{out}: {source.sessions} sessions, {source.bytes} bytes, sha256 {source.digest}")


@app.command(epilog="Example: agon results check rap-battle.parquet")
def check(
    file: Annotated[Path, typer.Argument(help="A results file.")],
    as_json: AsJson = False,
) -> None:
    """Check that ratings and leagues follow from a file.

    Every session is rated again. Exit status 1 where they do not.
    """
    from server.commands import telling
    from server.official.replay import replay
    from server.official.results import BadResults, read

    try:
        found = replay(read(file))
    except BadResults as error:
        raise CommandError(str(error)) from None
    if as_json:
        telling.as_json(found)
    else:
        for fault in found.faults[:50]:
            print(fault)
        verdict = f"{len(found.faults)} faults" if found.faults else "all follow from the rules"
        print(f"{found.sessions} sessions, {found.moves} moves of ratings and leagues: {verdict}")
    if found.faults:
        raise typer.Exit(1)


async def _export(settings: Config, space: str, out: Path) -> ResultsFile:
    from server.commands.opening import records
    from server.official.document import path_of
    from server.official.publish import export as write

    with tempfile.TemporaryDirectory(prefix="agon-results-") as folder:
        async with records(settings) as store:
            source = await write(store, space, Path(folder))
        try:
            shutil.copyfile(path_of(Path(folder), source.digest), out)
        except OSError as error:
            raise CommandError(f"cannot write {out}: {error.strerror}") from None
    return source
