"""`agon serve`: the arena itself, or a part of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.commands.running import ConfigFile, load_arena, run_async


def serve(
    role: Annotated[
        list[str] | None,
        typer.Option(
            help="Which to run here, of api, gateway, host, matchmaker, worker, runner, models, trainer; default: all, models within runner, trainer where it has slots (`agon config --explain`)."
        ),
    ] = None,
    house: Annotated[
        str,
        typer.Option(
            help="What the arena's own agents play: `all`, `none`, or Spaces, e.g. `rap-battle,bid-tac-toe=20` (20 sessions; none said: for ever)."
        ),
    ] = "all",
    config: ConfigFile = None,
    data_dir: Annotated[
        str | None, typer.Option(help="Where embedded services keep their files.")
    ] = None,
    ready_file: Annotated[Path | None, typer.Option(hidden=True)] = None,
    stop_with_stdin: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Run an arena, or some of its roles.

    Services that no URL is set for (`agon config --explain`) are started beside it. Ctrl-C ends it: sessions that are
    live go on when it starts again.
    """
    from server import logs, roles
    from server.training import extra

    settings = load_arena(config, data_dir=data_dir)
    logs.configure(settings.log_level, as_json=settings.log_json)
    chosen = roles.parse_roles(role, trains=extra.by_default(settings))
    run_async(
        lambda: roles.serve(
            settings,
            chosen,
            house=roles.parse_house(house),
            ready_file=ready_file,
            stop_with_stdin=stop_with_stdin,
        )
    )
