"""A judge's own folder: where it is, what is in it; and that one process of this machine's user judges with its key, in whatever folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from judges.node.journal import JournalInUse

JOURNAL = "judge.sqlite"


def folder(given: Path | None, judge: str) -> Path:
    """What was named, else one for each judge of this machine's user."""
    return given.expanduser() if given is not None else _own() / judge.lower()


@contextlib.contextmanager
def alone(judge: str, court: str) -> Iterator[None]:
    """For the time of the block, and until the process ends however it ends. `court` names chain and contract, as in 8453:0x… Two
    folders of one key would commit twice, which costs everything, and no journal can tell. Nothing is held where the user has no
    home to write in. Raises JournalInUse."""
    name = f"{judge.lower()}-{court.lower().replace(':', '-')}.lock"
    try:
        _own().mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (_own() / name).open("ab")
    except OSError:
        yield
        return
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalInUse(
                f"another process judges with the key of {judge}, maybe from another folder: two would commit twice, which costs everything"
            ) from None
        yield


def _own() -> Path:
    base = os.environ.get("XDG_DATA_HOME", "")
    data = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share"
    return data / "agon-judge"
