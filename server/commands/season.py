"""`agon admin season`: end the season that runs and begin the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.running import AsJson, CommandError, ConfigFile, DataDir, load, run_async

if TYPE_CHECKING:
    from server.config import Config
    from server.store.new_season import SeasonBegun

app = typer.Typer(
    name="season",
    help="Begin seasons.",
    epilog="Example: agon admin season start 2 --reason 'the first quarter is over'",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def season() -> None:
    """Begin seasons."""


@app.command(epilog="Example: agon admin season start 2 --reason 'the first quarter is over'")
def start(
    number: Annotated[
        int, typer.Argument(min=2, help="The season to begin: one more than runs now.")
    ],
    reason: Annotated[str, typer.Option(help="For the audit log.")],
    as_json: AsJson = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """End the season before and begin this one.

    Final boards are kept, live ratings come closer together and are less sure, leagues are placed again, points count
    anew. There is no way back. Asked for again, it has begun already and nothing happens.
    """
    from server.store.audit import MAX_REASON
    from server.store.new_season import WrongSeason

    if not reason.strip() or len(reason) > MAX_REASON:
        raise CommandError(f"--reason: expected some words, {MAX_REASON} characters at most")
    settings = load(config, data_dir)
    try:
        begun = run_async(lambda: _begin(settings, number, reason.strip()))
    except WrongSeason as error:
        raise CommandError(str(error)) from None
    if as_json:
        from server.commands import telling

        telling.as_json({"season": number, "begun": begun})
    elif begun is None:
        print(f"season {number} runs already")
    else:
        print(
            f"season {number} has begun: {begun.versions} ratings came closer together, "
            f"the final boards of {begun.spaces} Spaces are kept"
        )


async def _begin(settings: Config, number: int, reason: str) -> SeasonBegun | None:
    """With official boards of the very end, where anything has been played since the last ones."""
    from server.commands.opening import records
    from server.official.document import BoardWindow
    from server.official.publish import BoardFailed, publish, results_folder
    from server.store.audit import OPERATOR

    window = BoardWindow(settings.official_days, settings.official_sessions)
    async with records(settings) as store:
        if await store.new_season.running() == number - 1:
            try:
                for space in await store.ratings.spaces():
                    await publish(store, space, results_folder(settings), window)
            except (BoardFailed, OSError) as error:
                raise CommandError(f"no final board, so no new season: {error}") from None
        return await store.new_season.begin(number, actor=OPERATOR, reason=reason)
