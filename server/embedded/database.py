"""SQLite in the data directory: the records of an arena that has no PostgreSQL."""

from __future__ import annotations

from server.embedded.data_dir import DataDir

FILE = "agon.sqlite"


def url(data: DataDir) -> str:
    """The database's URL. Nothing to start: several processes share the file (WAL)."""
    return f"sqlite+aiosqlite:///{data.file(FILE)}"
