"""A judge's own folder: where it is, what is in it."""

from __future__ import annotations

import os
from pathlib import Path

JOURNAL = "judge.sqlite"


def folder(given: Path | None, judge: str) -> Path:
    """What was named, else one for each judge of this machine's user."""
    if given is not None:
        return given.expanduser()
    base = os.environ.get("XDG_DATA_HOME", "")
    data = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share"
    return data / "agon-judge" / judge.lower()
