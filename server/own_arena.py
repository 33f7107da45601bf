"""A whole arena of its own for one command: a child `agon serve` in a fresh folder, on free ports.

It never meets another arena and leaves nothing behind, except its log if somebody wants to read it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rich.console import Console

from server.config import Config

START_TIMEOUT_S = 90.0


class ArenaFailed(RuntimeError):
    """The arena did not start; the message ends with the last lines of its log."""


class OwnArena(msgspec.Struct, frozen=True):
    """A running one."""

    api: str
    """Its API's URL."""
    config: Config
    """Its knobs. Whoever starts `embedded.services` with them is given the services of this arena."""
    log: Path

    @property
    def data(self) -> Path:
        """Its data directory."""
        return Path(self.config.data_dir)

    @property
    def model(self) -> str:
        """The URL of its language model, …/v1."""
        return self.config.llm_url or (self.data / "llm.url").read_text(encoding="utf-8")

    def keep_log(self, name: str) -> Path:
        """Save the log from the arena's folder, which is about to go."""
        kept = Path(tempfile.gettempdir()) / f"agon-{name}-{os.getpid()}.log"
        kept.write_bytes(self.log.read_bytes())
        return kept


@contextlib.contextmanager
def own_arena(config: Config, folder: Path, *, house: str) -> Iterator[OwnArena]:
    """An arena with every role in `folder`, for the time of the block. `house`: as for `agon serve`.

    Raises ArenaFailed.
    """
    ready, settings, log = folder / "ready.json", folder / "agon.toml", folder / "arena.log"
    config = _own(config, folder)
    settings.touch(mode=0o600)  # a knob may be a secret
    settings.write_text(toml_of(config), encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AGON_")}
    command = [
        *(sys.executable, "-m", "server.cli", "serve", "--house", house),
        *("--config", str(settings)),
        *("--ready-file", str(ready), "--stop-with-stdin"),
    ]
    with log.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
    try:
        yield OwnArena(_await_ready(child, ready, log), config, log)
    finally:
        print("closing the arena …", file=sys.stderr)
        assert child.stdin is not None
        child.stdin.close()  # the arena drains and ends
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()


def _own(config: Config, folder: Path) -> Config:
    """The user's knobs, but everything that another arena could share. A model may be shared."""
    return msgspec.structs.replace(
        config,
        data_dir=str(folder / "data"),
        redis_url="",
        database_url="",
        api_host="127.0.0.1",
        api_port=0,
        gateway_host="127.0.0.1",
        gateway_port=0,
        gateway_public_url="",
        metrics_port=0,
        open_registration=True,
    )


def toml_of(config: Config) -> str:
    """JSON's strings, numbers, booleans and arrays are TOML's."""
    values = msgspec.structs.asdict(config)
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())


def _await_ready(child: subprocess.Popen[bytes], ready: Path, log: Path) -> str:
    console = Console(stderr=True)
    deadline = time.monotonic() + START_TIMEOUT_S
    with console.status("starting redis, database, language model and arena …"):
        while not ready.exists():
            if child.poll() is not None or time.monotonic() > deadline:
                tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
                raise ArenaFailed("the arena did not start:\n  " + "\n  ".join(tail))
            time.sleep(0.05)
    api: str = json.loads(ready.read_text(encoding="utf-8"))["api"]
    return api
