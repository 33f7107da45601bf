"""Where the table of a variant comes from: shipped with the program, built before, or solved now.

Built tables lie in the user's cache: `$XDG_CACHE_HOME/agon/tables`, by default
`~/.cache/agon/tables`. A table of many chips covers fewer chips, too, except in Richman, where the
total belongs to the position. Tables load once per process; loading takes about half a second, so
not on an event loop.

What is shipped goes before what lies in the cache. A file that cannot be read, is damaged, or is of
other rules than its name says is passed over with a warning, for the next one or for solving anew.
"""

from __future__ import annotations

import functools
import hashlib
import os
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import msgspec

from spaces.bid_tac_toe.solver import induction, matrix_game, table_file
from spaces.bid_tac_toe.solver.stage import Variant
from spaces.bid_tac_toe.solver.table import Table, contents
from spaces.bid_tac_toe.state import CELLS
from spaces.bid_tac_toe.variants import Params

CHEAP = 450
"""Positions over one board and all its modes that are solved without asking: some seconds at most."""
_ONE_AT_A_TIME = threading.Lock()
"""Many who ask at once for the same table wait for one reading of it."""
SHIPPED = Path(__file__).parent / "tables"


class NoTable(LookupError):
    """The variant has no table here and is too large to be solved in passing; the message names the
    command that builds it."""


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "agon" / "tables"


def find(params: Params) -> Table:
    """The table for a session's variant. Raises NoTable, and OSError where a folder cannot be
    listed."""
    with _ONE_AT_A_TIME:
        return _find(Variant.of(params), (SHIPPED, cache_folder()))


@functools.lru_cache(maxsize=8)
def _find(variant: Variant, folders: tuple[Path, ...]) -> Table:
    skipped: list[str] = []
    for path in _candidates(variant, folders):
        try:
            _check_header(path, variant)
            return _read(path)
        except (table_file.BadTable, OSError) as error:
            skipped.append(f"{path}: {error}")
            warnings.warn(f"passed over a table: {skipped[-1]}", RuntimeWarning, stacklevel=3)
    if is_cheap(variant):
        return solved(variant)
    but = f" (passed over {'; '.join(skipped)})" if skipped else ""
    raise NoTable(f"there is no table of {variant.name}{but}; build it with: {command(variant)}")


@functools.lru_cache(maxsize=8)
def _read(path: Path) -> Table:
    return table_file.read(path)


def locate(variant: Variant, folders: tuple[Path, ...]) -> Path | None:
    """The first file whose header says that it covers the variant; its contents may yet be damaged."""
    for path in _candidates(variant, folders):
        try:
            _check_header(path, variant)
        except (table_file.BadTable, OSError):
            continue
        return path
    return None


def _candidates(variant: Variant, folders: tuple[Path, ...]) -> list[Path]:
    """By their names: folder by folder, the fewest chips first."""
    return [path for folder in folders for path in sorted(_of_rules(variant, folder), key=_chips)]


def _check_header(path: Path, variant: Variant) -> None:
    """A name is anybody's word. Raises BadTable and OSError."""
    found = table_file.read_header(path).variant
    if not found.includes(variant):
        raise table_file.BadTable(
            f"{path.name} holds {found.name}, which does not cover {variant.name}"
        )


def _of_rules(variant: Variant, folder: Path) -> Iterator[Path]:
    rules = variant.name.rpartition("-")[0]
    for path in folder.glob(f"{rules}-*{table_file.SUFFIX}"):
        name, _, chips = path.stem.rpartition("-")
        if name != rules or not chips.isdecimal():
            continue
        if msgspec.structs.replace(variant, chips=_chips(path)).includes(variant):
            yield path


def _chips(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def is_cheap(variant: Variant) -> bool:
    return variant.shape[0] * variant.shape[1] * variant.modes <= CHEAP


def solved(variant: Variant) -> Table:
    """Solved now, and not rounded."""
    exact = contents(induction.solve(variant), rounded=False)
    digest = hashlib.sha256(exact.grids.tobytes()).hexdigest()
    # Every bid is optimal up to the tolerance of its stage, and there is one for each free cell,
    # or as many as ties allow.
    bound = matrix_game.TOLERANCE * CELLS * variant.modes
    return Table(exact, f"{variant.name}@{digest[:16]}", bound)


def command(variant: Variant) -> str:
    return (
        f"python -m spaces.bid_tac_toe.solver table --payment {variant.payment} "
        f"--ties {variant.ties} --decided-by {variant.decided_by} --chips {variant.chips}"
    )
