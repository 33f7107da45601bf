"""The data directory: who uses it, where its sockets and logs are, and how a service is started once."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import IO

_MAX_SOCKET_PATH = 100
"""sun_path holds 108 bytes on Linux and 104 on macOS."""
_POLL_S = 0.05


class ServiceFailed(RuntimeError):
    """An embedded service did not come up; the message names its log."""


class DataDir:
    """One data directory, in use by this process while entered.

    Everything in it belongs to the user alone (mode 700): it holds records and seeds.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser().resolve()
        self._users: IO[str] | None = None

    def __enter__(self) -> DataDir:
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.chmod(0o700)  # it may have been there before; it holds seeds
            self._users = self.users_lock.open("a")
        except OSError as error:
            raise ServiceFailed(
                f"cannot use {self.path} ({error.strerror}): set AGON_DATA_DIR to a folder of yours"
            ) from None
        # Blocks only for the moment in which a guard is ending the services of earlier users.
        fcntl.flock(self._users, fcntl.LOCK_SH)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._users is not None:
            self._users.close()
            self._users = None

    @property
    def users_lock(self) -> Path:
        return self.path / "users.lock"

    def file(self, name: str) -> Path:
        return self.path / name

    def folder(self, name: str) -> Path:
        made = self.path / name
        made.mkdir(exist_ok=True, mode=0o700)
        return made

    def socket(self, name: str) -> Path:
        """A path for a unix socket; elsewhere when the directory's own path is too long for one."""
        path = self.path / name
        if len(os.fsencode(path)) <= _MAX_SOCKET_PATH:
            return path
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"agon-{os.getuid()}-{digest}"
        folder.mkdir(exist_ok=True, mode=0o700)
        found = folder.lstat()  # not stat: a link could lead anywhere
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise ServiceFailed(f"{folder} is not ours alone: choose a shorter data_dir")
        return folder / name

    async def ensure(
        self,
        name: str,
        command: Callable[[], list[str]],
        answers: Callable[[], Awaitable[bool]],
        *,
        timeout_s: float,
    ) -> None:
        """Have the service `name` answer: start a guard with `command()` unless it already does.

        Safe when several processes start at once, and when it lives and is too busy to answer: then it is
        waited for. Raises ServiceFailed after `timeout_s`.
        """
        if self._users is None:
            raise RuntimeError("enter the data directory first: its services end without users")
        with (self.path / f"{name}.start").open("a") as start:
            await asyncio.to_thread(fcntl.flock, start, fcntl.LOCK_EX)
            if await answers():
                return
            log = self.path / f"{name}.log"
            await self._start_guard(name, command(), log)
            loop = asyncio.get_running_loop()
            deadline = loop.time() + timeout_s
            while not await answers():
                if loop.time() > deadline:
                    raise ServiceFailed(
                        f"the embedded {name} did not come up in {timeout_s:.0f} s: see {log}"
                    )
                await asyncio.sleep(_POLL_S)

    async def _start_guard(self, name: str, command: list[str], log: Path) -> None:
        with log.open("ab") as output:
            guard = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "server.embedded.guard", str(self.users_lock)),
                *(str(self.path / f"{name}.guard"), "--", *command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=Path(__file__).parents[2],
            )
            await guard.wait()  # it detaches at once
