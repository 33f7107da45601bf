"""Publishing: from the records to a results file, and from the file to a board.

The board is made by a process of its own that sees the file alone (`python -m server.official`), which is what
anyone can do; it also keeps a minute of arithmetic away from the event loop that plays matches.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from server.clock import Clock, unix_ms
from server.config import Config
from server.official.document import BoardWindow, OfficialBoard, ResultsFile, path_of
from server.official.final import FinalBoard
from server.store import Store
from server.store.outcomes import Place, place_of

if TYPE_CHECKING:
    from server.official.results import ResultsWriter

PAGE = 1_000
"""Sessions read at once."""
FIT_S = 1_800.0
"""A fit that takes longer is given up."""
FILES_KEPT = 3
"""Of a Space: the results files of its newest boards. Those of final boards stay for good."""


def results_folder(config: Config) -> Path:
    """Where results files lie."""
    return Path(config.results_dir or Path(config.data_dir) / "results")


class BoardFailed(Exception):
    """No board could be made of a file; the message says why."""


async def export(
    store: Store, space: str, folder: Path, sealed_by_ms: int | None = None
) -> ResultsFile:
    """Write all that has been settled in a Space as a results file into the folder; but not what was sealed
    later than `sealed_by_ms`, which delayed spectators have not seen yet."""
    until_ms = unix_ms() if sealed_by_ms is None else sealed_by_ms
    writer = await asyncio.to_thread(_writer, folder)
    try:
        after: Place | None = None
        while page := await store.outcomes.page(space, after, PAGE, until_ms):
            await asyncio.to_thread(writer.add, page)
            after = place_of(page[-1])
        return await asyncio.to_thread(writer.finish)
    finally:
        writer.abandon()


def _writer(folder: Path) -> ResultsWriter:
    from server.official.results import ResultsWriter  # pyarrow: only here, and not at every start

    return ResultsWriter(folder)


async def board_of(path: Path, space: str, window: BoardWindow) -> OfficialBoard:
    """The board of a results file. Cancelling ends the process that makes it. Raises BoardFailed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server.official"),
        *(str(path), space, str(window.days), str(window.sessions)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    try:
        async with asyncio.timeout(FIT_S):
            made, said = await process.communicate()
    except TimeoutError:
        raise BoardFailed(f"no board of {path.name} within {FIT_S:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise BoardFailed(said.decode(errors="replace").strip()[-500:] or "the fit was killed")
    return msgspec.json.decode(made, type=OfficialBoard)


async def publish(
    store: Store,
    space: str,
    folder: Path,
    window: BoardWindow,
    *,
    clock: Clock = unix_ms,
    delay_ms: int = 0,
) -> OfficialBoard:
    """Make and keep the file and the board of a Space. Raises BoardFailed.

    `delay_ms` is how much later than the seats spectators see a session (`config.spectator_delay_ms`).

    What comes out as it stands already, as after a change of leaders, is not kept twice.
    """
    source = await export(store, space, folder, clock() - delay_ms)
    made = await board_of(path_of(folder, source.digest), space, window)
    made = msgspec.structs.replace(made, computed_ms=clock())
    newest = await store.boards.newest(space)
    standing = None if newest is None else msgspec.json.decode(newest, type=OfficialBoard)
    if standing is not None and _same(standing, made):
        return standing
    await store.boards.put(space, made.computed_ms, msgspec.json.encode(made).decode())
    return made


def _same(standing: OfficialBoard, made: OfficialBoard) -> bool:
    return msgspec.structs.replace(standing, computed_ms=made.computed_ms) == made


async def sweep(store: Store, folder: Path) -> int:
    """Delete the files that no recent board names; returns how many."""
    documents = await store.boards.recent_everywhere(FILES_KEPT)
    boards = [msgspec.json.decode(each, type=OfficialBoard) for each in documents]
    finals = await store.boards.of_seasons()
    boards += [
        each.official
        for each in (msgspec.json.decode(final, type=FinalBoard) for final in finals)
        if each.official is not None
    ]
    keep = {each.source.digest for each in boards if each.source is not None}
    return await asyncio.to_thread(_sweep, folder, keep)


def _sweep(folder: Path, keep: Iterable[str]) -> int:
    kept = {path_of(folder, digest) for digest in keep}
    gone = [path for path in folder.glob("*.parquet") if path not in kept]
    abandoned_s = time.time() - FIT_S
    gone += [path for path in folder.glob(".*.part") if path.stat().st_mtime < abandoned_s]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)
