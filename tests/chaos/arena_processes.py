"""An arena split over processes of the real command, for tests that kill them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parents[2]
START_S = 90.0


class Process:
    """One `agon serve --role …`, its log in a file. `knobs`: by their environment variables."""

    def __init__(
        self,
        folder: Path,
        name: str,
        roles: Sequence[str],
        knobs: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        self._ready = folder / f"{name}.json"
        command = [sys.executable, "-m", "server.cli", "serve", "--house", "none"]
        command += [part for role in roles for part in ("--role", role)]
        command += ["--data-dir", str(folder / "data"), "--ready-file", str(self._ready)]
        with self._log.open("wb") as output:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env=os.environ | {"AGON_API_PORT": "0", "AGON_GATEWAY_PORT": "0", **knobs},
            )

    def addresses(self) -> dict[str, str]:
        """Where it serves, once it does."""
        deadline = time.monotonic() + START_S
        while not self._ready.exists():
            assert self._child.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)
        found: dict[str, str] = json.loads(self._ready.read_text())
        return found

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def end(self, how: signal.Signals) -> None:
        if self._child.poll() is None:
            self._child.send_signal(how)
        self._child.wait(20)


@contextlib.contextmanager
def processes(folder: Path, **roles: Sequence[str]) -> Iterator[dict[str, Process]]:
    """Start one process per keyword, all on one data directory; end them all by SIGTERM."""
    started = {name: Process(folder, name, chosen) for name, chosen in roles.items()}
    try:
        for process in started.values():
            process.addresses()
        yield started
    finally:
        for process in started.values():
            process.end(signal.SIGTERM)
