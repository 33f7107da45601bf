"""`agon board`: the official board, computed here from the published results file and nothing else."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.running import AsJson, CommandError, ConfigFile, DataDir, load, run_async

if TYPE_CHECKING:
    from server.config import Config
    from server.official.compare import Comparison
    from server.official.document import BoardWindow, OfficialBoard, OfficialRow

_WINDOW = re.compile(r"(\d{1,4})d(?:,(\d{1,8}))?|(\d{1,8})")
HTTP_S = 30.0


def board(
    space: Annotated[str, typer.Option(help="The Space, e.g. rap-battle.")],
    results: Annotated[
        Path | None,
        typer.Option("--from", help="A results file; default: what the arena's records hold now."),
    ] = None,
    window: Annotated[
        str,
        typer.Option(
            help="Days and sessions that count, e.g. `90d,100000`; default: as published."
        ),
    ] = "",
    against: Annotated[
        str,
        typer.Option(help="An arena's HTTP API, to compare with the board that it publishes."),
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="Rows printed.")] = 50,
    as_json: AsJson = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Compute a Space's official board and compare it.

    It is compared with the board that is published, here or at the arena that --against names.
    Exits with 1 where the published board does not follow from the results that it names.
    """
    from server.official.compare import compare

    settings = load(config, data_dir)
    _known(space)
    published = _asked(against, space) if against else run_async(lambda: _kept(settings, space))
    chosen = read_window(window) if window else _default(published)
    if results is None:
        computed = run_async(lambda: _of_records(settings, space, chosen))
    else:
        computed = made_of(results, space, chosen)
    comparison = compare(published, computed)
    _tell(computed, comparison, limit, as_json)
    if comparison.verdict == "different":
        raise typer.Exit(1)


def read_window(text: str) -> BoardWindow:
    """`90d`, `90d,1000` or `1000`. Raises CommandError."""
    from server.official.document import BoardWindow

    found = _WINDOW.fullmatch(text)
    if found is None:
        raise CommandError(f"--window {text!r}: expected days and sessions, e.g. `90d,100000`")
    days, sessions, alone = found.groups()
    given = {"days": days, "sessions": sessions or alone}
    return BoardWindow(**{name: int(value) for name, value in given.items() if value})


def _known(space: str) -> None:
    """Raises CommandError for a Space that there is not."""
    from spaces import registry

    try:
        registry.get(space)
    except registry.UnknownSpace as error:
        raise CommandError(str(error)) from None


def made_of(path: Path, space: str, window: BoardWindow) -> OfficialBoard:
    """The board of a results file, here and now. Raises CommandError."""
    import msgspec

    from server.official.board import board as fitted
    from server.official.results import BadResults, read, source_of

    try:
        outcomes = read(path)
        source = source_of(path)
    except BadResults as error:
        raise CommandError(str(error)) from None
    spaces = {each.space for each in outcomes}
    if outcomes and space not in spaces:
        raise CommandError(f"{path} is of {', '.join(sorted(spaces))}, not of {space}")
    return msgspec.structs.replace(fitted(space, outcomes, window), source=source)


def _default(published: OfficialBoard | None) -> BoardWindow:
    from server.official.document import BoardWindow

    return BoardWindow() if published is None else published.window


async def _kept(settings: Config, space: str) -> OfficialBoard | None:
    """The newest board in the arena's records; None also where there is no arena here."""
    import msgspec

    from server.commands.opening import records
    from server.official.document import OfficialBoard
    from server.store import StoreError

    try:
        async with records(settings) as store:
            document = await store.boards.newest(space)
    except StoreError:
        return None
    return None if document is None else msgspec.json.decode(document, type=OfficialBoard)


async def _of_records(settings: Config, space: str, window: BoardWindow) -> OfficialBoard:
    """Of what the records hold, by way of a results file as anybody would have it."""
    from server.commands.opening import records
    from server.official.document import path_of
    from server.official.publish import export

    with tempfile.TemporaryDirectory(prefix="agon-board-") as folder:
        async with records(settings) as store:
            source = await export(store, space, Path(folder))
        return made_of(path_of(Path(folder), source.digest), space, window)


def _asked(url: str, space: str) -> OfficialBoard | None:
    """What an arena publishes. Raises CommandError, NotAnArena for what is no address."""
    import httpx
    import msgspec

    from bots.api import arena_url, no_answer
    from server.official.document import OfficialBoard

    url = arena_url(url)
    try:
        answer = httpx.get(f"{url}/v1/boards/{space}", timeout=HTTP_S, trust_env=False)
    except httpx.HTTPError as error:
        raise CommandError(no_answer(url, error)) from None
    if answer.status_code == 404:
        return None
    try:
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=OfficialBoard)
    except (httpx.HTTPStatusError, msgspec.MsgspecError) as error:
        raise CommandError(f"{url} answered with no board: {error}") from None


def _tell(computed: OfficialBoard, comparison: Comparison, limit: int, as_json: bool) -> None:
    from server.commands import telling

    if as_json:
        telling.as_json({"board": computed, "comparison": comparison})
        return
    headings = ("place", "agent", "version", "points", "95 %", "sessions", "won")
    rows = [_line(row) for row in computed.rows[:limit]]
    telling.table(headings, rows, nothing="nobody has played a session that counts")
    print()
    for line in _summary(computed, limit):
        print(line)
    print(f"This is {comparison.words}." if comparison.verdict == "equal" else comparison.words)
    for difference in comparison.differences[:20]:
        print(f"  {difference}")


def _line(row: OfficialRow) -> tuple[str, ...]:
    place = "?" if row.rank is None else _span(row.rank, row.last)
    number = row.version.rpartition("@")[2]
    interval = f"{row.low} to {row.high}"
    return place, row.name, number, str(row.points), interval, str(row.sessions), str(row.wins)


def _span(first: int, last: Any) -> str:
    return str(first) if last == first else f"{first}-{last}"


def _summary(board: OfficialBoard, limit: int) -> list[str]:
    from server.official.compare import window_words

    source = "" if board.source is None else f", results {board.source.digest[:12]}…"
    lines = [f"{board.sessions} sessions count in {window_words(board)}{source}."]
    if len(board.rows) > limit:
        lines.append(f"{len(board.rows) - limit} rows more: --limit.")
    if any(row.provisional for row in board.rows):
        lines.append("?: too few sessions for a place yet.")
    if board.groups > 1:
        lines.append(f"{board.groups} groups have never met; only the largest has places.")
    if board.left_out:
        lines.append(f"{board.left_out} versions with fewer sessions are not fitted.")
    return lines
