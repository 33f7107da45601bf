"""A small file of secrets: mode 600, in a folder of mode 700, replaced whole by rename, under a lock.

Programs that start together never lose each other's entries, and no reader sees half a file.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bots.errors import BotError

if sys.platform != "win32":
    import fcntl


class PrivateFileError(BotError):
    """The file cannot be read or written; the message names it."""


def config_folder(env: Mapping[str, str] | None = None) -> Path:
    """`$XDG_CONFIG_HOME/agon`, or under `~/.config`."""
    env = os.environ if env is None else env
    base = env.get("XDG_CONFIG_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".config") / "agon"


class PrivateFile:
    """UTF-8 text at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> str | None:
        """None where there is no file. Raises PrivateFileError."""
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PrivateFileError(f"cannot read {self.path}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise PrivateFileError(f"{self.path} is not UTF-8: {error}") from None

    def write(self, text: str) -> None:
        """Replace the file. Hold `locked` from the reading of what this changes. Raises PrivateFileError."""
        try:
            # mkstemp makes the file with mode 600, before a byte of a secret is in it.
            handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.stem}-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).replace(self.path)
        except OSError as error:
            raise PrivateFileError(f"cannot write {self.path}: {error.strerror}") from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone among the programs that use this file; makes its folder. Raises PrivateFileError."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(
                self.path.with_name(f"{self.path.stem}.lock"), os.O_RDWR | os.O_CREAT, 0o600
            )
        except OSError as error:
            raise PrivateFileError(f"cannot write beside {self.path}: {error.strerror}") from None
        try:
            if sys.platform != "win32":
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
