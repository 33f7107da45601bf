"""`agon backup` and `agon restore`: all that lasts of an arena on embedded services, in one file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.running import AsJson, CommandError, ConfigFile, DataDir, load, run_async

if TYPE_CHECKING:
    from server.backup.archive import Manifest
    from server.config import Config


def backup(
    out: Annotated[Path, typer.Option(help="The file to write; one that is there is replaced.")],
    as_json: AsJson = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Write all that lasts into one file.

    The arena may run meanwhile.
    """
    settings = load(config, data_dir)
    _embedded_only(settings, "pg_dump")
    manifest = run_async(lambda: _make(settings, out))
    _tell(manifest, as_json, f"backed up to {out}")


async def _make(settings: Config, out: Path) -> Manifest:
    from server.backup.making import make
    from server.embedded import data_dir, database
    from server.store import StoreError

    folder = data_dir.DataDir(settings.data_dir)
    if not folder.file(database.FILE).exists():
        raise StoreError(f"no arena has run in {folder.path}: name its folder by --data-dir")
    if not out.parent.is_dir():
        raise CommandError(f"there is no folder {out.parent}")
    with folder:
        return await make(folder.file(database.FILE), out)


def restore(
    file: Annotated[Path, typer.Argument(help="What `agon backup` has written.")],
    as_json: AsJson = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Put a backup in the place of the arena's records.

    What is there is kept beside it. The arena must be stopped. When it starts, sessions that were live become void, and what was held
    for them and for waiting tickets goes back.
    """
    from server.backup.restoring import restore as put_back
    from server.embedded.data_dir import DataDir as Folder

    settings = load(config, data_dir)
    _embedded_only(settings, "pg_restore")
    manifest = put_back(file, Folder(settings.data_dir))
    _tell(manifest, as_json, f"restored {file} to {settings.data_dir}")


def _embedded_only(settings: Config, instead: str) -> None:
    if settings.database_url:
        raise CommandError(
            f"the records are in the database of AGON_DATABASE_URL: use {instead}, as "
            "docs/operations.md says"
        )


def _tell(manifest: Manifest, as_json: bool, done: str) -> None:
    from server.commands import telling

    if as_json:
        telling.as_json(manifest)
    else:
        print(
            f"{done}: {manifest.bytes / 2**20:.1f} MiB, made {telling.ago(manifest.made_ms)}; "
            f"{manifest.live_sessions} live sessions would become void, "
            f"{manifest.held_entries} held entries go back"
        )
    if not manifest.sound:
        print(
            "agon: the ledger in it is NOT sound: `agon admin ledger` says what is wrong",
            file=sys.stderr,
        )
