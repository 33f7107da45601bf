"""An official board as it is kept, published and compared. Pure, and light: the arithmetic is in `board.py`."""

from __future__ import annotations

from pathlib import Path

import msgspec

FORMAT = "agon-board/1"


class BoardWindow(msgspec.Struct, frozen=True):
    """What counts: the Space's last `sessions` that count, none older than `days` before the newest."""

    days: int = 90
    sessions: int = 100_000


class OfficialRow(msgspec.Struct, frozen=True, omit_defaults=True):
    agent: str
    name: str
    """As it was in the version's last session."""
    version: str
    points: int
    low: int
    """The interval of 95 %, in points."""
    high: int
    sessions: int
    """Of the window, as the next two."""
    wins: int
    """Best alone."""
    rank: int | None = None
    """The best place that the intervals allow; left out while provisional."""
    last: int | None = None
    """The worst place that they allow."""
    provisional: bool = False
    """Too few sessions, or none that connects it with most of the field."""


class ResultsFile(msgspec.Struct, frozen=True):
    """The published results that a board was made from."""

    digest: str
    """SHA-256 of the file, hex."""
    bytes: int
    sessions: int
    rows: int


class OfficialBoard(msgspec.Struct, frozen=True, kw_only=True):
    """All of it but `computed_ms` and `source` follows from the rows of the results file."""

    v: str = FORMAT
    space: str
    window: BoardWindow
    from_ms: int
    """When the first and the last session that count were settled (unix); 0 where none do."""
    to_ms: int
    sessions: int
    """Those that count."""
    groups: int
    """Of the field, such that no session joins two; 1 where everybody can be compared."""
    left_out: int
    """Versions with too few sessions to be among the MAX_FIELD that are fitted."""
    rows: tuple[OfficialRow, ...]
    """The sure ones first, best first; then the provisional ones, best first."""
    computed_ms: int = 0
    source: ResultsFile | None = None


def differences(published: OfficialBoard, computed: OfficialBoard) -> list[str]:
    """What is not the same, in words; empty where anyone may trust the published one."""
    found = [
        f"{name}: published {getattr(published, name)}, computed {getattr(computed, name)}"
        for name in ("space", "window", "from_ms", "to_ms", "sessions", "groups", "left_out")
        if getattr(published, name) != getattr(computed, name)
    ]
    theirs = {row.version: row for row in published.rows}
    ours = {row.version: row for row in computed.rows}
    found += [
        f"{version}: published {theirs.get(version)}, computed {ours.get(version)}"
        for version in sorted(theirs.keys() | ours.keys())
        if theirs.get(version) != ours.get(version)
    ]
    if not found and published.rows != computed.rows:
        found.append("the rows stand in another order")
    return found


def path_of(folder: Path, digest: str) -> Path:
    """Where the results file with this digest lies."""
    return folder / f"{digest}.parquet"
