"""The commands about tables, as plain functions: build one, and certify one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from spaces.bid_tac_toe.solver import induction, matrix_game, table_file, tables
from spaces.bid_tac_toe.solver.certificate import certify
from spaces.bid_tac_toe.solver.induction import Method, Settings
from spaces.bid_tac_toe.solver.stage import Variant
from spaces.bid_tac_toe.solver.table import ROUNDED_WIN, Table, contents
from spaces.bid_tac_toe.space import BidTacToe
from spaces.bid_tac_toe.state import CELLS
from spaces.bid_tac_toe.variants import Params

REGRET_MATCHING_TOLERANCE = 1e-3
"""Of a stage, in stakes: nine plies of it, and of rounding, are less than one per cent."""
MOST_BYTES = 8 * 2**30
"""Of memory, by `estimated_bytes`; what would take more is refused before it is begun."""
_GRIDS = {"coin": 180, "advantage-chip": 310, "rebid": 360}
"""Different grids of a variant: what the tables of 100 chips have, the most of each rule of ties."""


def build_table(
    params: Params,
    *,
    method: Method = "simplex",
    tolerance: float | None = None,
    workers: int = 1,
    folder: Path | None = None,
    certified: bool = True,
) -> Path:
    """Solve a variant, show the progress on standard error, and store the table where the solver brain
    and the annotations find it (or in `folder`). Prints a line of JSON: the file, its header, and the
    certificate, whose exploitability the header keeps.

    Uses Numba where it is installed; without it 100 chips of all-pay take hours. Raises OSError, and
    ValueError for a variant that would not fit into memory, both before it solves.
    """
    variant = Variant.of(params)
    path = (folder or tables.cache_folder()) / table_file.name_of(variant)
    _check_memory(variant)
    table_file.check_writable(path)
    settings = Settings(
        method=method,
        tolerance=tolerance
        or (matrix_game.TOLERANCE if method == "simplex" else REGRET_MATCHING_TOLERANCE),
        workers=workers,
        rounded_to=int(ROUNDED_WIN),
        compiled=induction.has_compiler(),
    )
    if not settings.compiled:
        print("without Numba this is slow; pip install 'agon-arena[solver]'", file=sys.stderr)
    with _bar(f"solving {variant.name}") as progress:
        solved = induction.solve(variant, settings, progress=progress)
    rounded = contents(solved, rounded=True)
    # Until it is measured: each ply may lose the gap of its stage and the rounding of two values.
    unit = 1 / float(rounded.win)
    bound = min(2.0, (solved.gap + 2 * unit) * CELLS * variant.modes)
    header = table_file.Header(
        variant=variant,
        rules=BidTacToe.rules,
        method=method,
        tolerance_nano=round(solved.gap * 1e9),
        exploitability_micro=round(bound * table_file.MICRO),
        grids=len(rounded.grids),
        mixed=len(rounded.bases),
        sha256="",
    )
    header = table_file.write(path, rounded, header)
    told: dict[str, Any] = {
        "table": header.name,
        "file": str(path),
        "bytes": path.stat().st_size,
    }
    if certified:
        found = _certified(table_file.read(path))
        worst = float(found["exploitability_up_to_these_chips"])
        header = table_file.restate(path, exploitability_micro=round(worst * table_file.MICRO))
        told["certificate"] = found
    told["method"] = method
    told["exploitability_micro"] = header.exploitability_micro
    told["measured"] = header.measured
    print(json.dumps(told))
    return path


def estimated_bytes(variant: Variant) -> int:
    """What solving takes at its height, roughly: all grids and their bases, twice while they are put
    together."""
    width = (variant.chips + 8) // 8
    positions = variant.shape[0] * variant.shape[1]
    return 2 * _GRIDS[variant.ties] * positions * (8 + 2 * width)


def _check_memory(variant: Variant) -> None:
    needed = estimated_bytes(variant)
    if needed > MOST_BYTES:
        raise ValueError(
            f"a table of {variant.name} would take about {needed / 2**30:,.0f} GiB of memory;"
            f" refused above {MOST_BYTES // 2**30} GiB"
        )


def print_certificate(params: Params, path: Path | None = None) -> None:
    """Compute best responses to the table of a variant, or to a table file, and print what they win as
    a line of JSON. Raises tables.NoTable, table_file.BadTable and OSError."""
    table = tables.find(params) if path is None else table_file.read(path)
    print(json.dumps(_certified(table)))


def _certified(table: Table) -> dict[str, Any]:
    with _bar(f"best responses to {table.variant.name}") as progress:
        return {"table": table.name, **certify(table, progress)}


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """On standard error, so that standard output is JSON only."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title)
        yield lambda done, total: bar.update(task, completed=done, total=total)
