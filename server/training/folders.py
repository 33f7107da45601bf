"""The folders of trainings on a trainer's disk. Those of trainings that are over are deleted, the oldest first, as soon as they take too much."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

import structlog

NAME = "training"
"""The folder of all of them, in the data directory."""

_logger = structlog.get_logger()


def size_of(folder: Path) -> int:
    """Bytes of its files; what vanishes meanwhile counts for nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            if path.is_file() and not path.is_symlink():
                total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def sweep(folders: Path, in_use: Collection[str], most_bytes: int) -> list[str]:
    """Delete folders that are not in use, the longest untouched first, until the others take at most `most_bytes`.
    Returns the names of those that were deleted. Blocks: call it in a thread."""
    idle = [each for each in folders.iterdir() if each.is_dir() and each.name not in in_use]
    idle.sort(key=_touched, reverse=True)
    kept, deleted = 0, []
    for folder in idle:
        kept += size_of(folder)
        if kept > most_bytes:
            shutil.rmtree(folder, ignore_errors=True)
            deleted.append(folder.name)
    if deleted:
        _logger.info("training folders deleted", count=len(deleted), kept_bytes=most_bytes)
    return deleted


def _touched(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0
