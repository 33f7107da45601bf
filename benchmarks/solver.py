"""Look-ups of the solver's shipped table: positions that were never asked for, and load time.

Positions are drawn evenly from all open boards and all chips; each is looked up once, so nothing is
remembered. A look-up yields value and both seats' mixed bids. Time is this thread's own: how long the
machine let others run belongs to the machine.
"""

from __future__ import annotations

import itertools
import random
import time
from typing import Any

from spaces.bid_tac_toe.solver import table_file, tables
from spaces.bid_tac_toe.solver.boards import is_open
from spaces.bid_tac_toe.solver.stage import Variant
from spaces.bid_tac_toe.solver.table import Position, Table
from spaces.bid_tac_toe.state import CELLS
from spaces.bid_tac_toe.variants import Params

LOOKUPS = 5_000
BAR_US = 1_000


async def run(redis_url: str) -> list[dict[str, Any]]:
    """Needs no Redis: the table is a file."""
    path = tables.locate(Variant.of(Params()), (tables.SHIPPED,))
    if path is None:
        raise FileNotFoundError(
            "the table of the default session is not shipped with this checkout"
        )
    begin = time.thread_time()
    table = table_file.read(path)
    load_ms = (time.thread_time() - begin) * 1e3
    times = sorted(_times_us(table))
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    return [
        _row("solver_lookup_p50_us", round(p50), "us", BAR_US, p50 <= BAR_US),
        _row("solver_lookup_p99_us", round(p99), "us", BAR_US, p99 <= BAR_US),
        _row("solver_table_load_ms", round(load_ms), "ms", None, None),
        _row("solver_table_bytes", path.stat().st_size, "bytes", None, None),
        _row("solver_exploitability_ppm", round(table.exploitability * 1e6), "ppm of the stake",
             10_000, table.exploitability < 0.01),
    ]  # fmt: skip


def _times_us(table: Table) -> list[float]:
    rng = random.Random(20261122)
    every = ("".join(cells) for cells in itertools.product(".XO", repeat=CELLS))
    boards = [board for board in every if is_open(board)]
    chips = range(1, table.variant.chips + 1)
    table.play(Position("." * CELLS, (1, 1)))  # imports what the first look-up imports
    times = []
    for _ in range(LOOKUPS):
        position = Position(rng.choice(boards), (rng.choice(chips), rng.choice(chips)))
        begin = time.thread_time()
        table.play(position)
        times.append((time.thread_time() - begin) * 1e6)
    return times


def _row(name: str, value: float, unit: str, bar: int | None, met: bool | None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "bar": bar, "met": met}
