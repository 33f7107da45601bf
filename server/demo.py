"""`agon demo`: a whole arena of its own, started, watched and put away again.

The arena runs as a child process in a fresh data directory, on free ports, so that a demo never meets
another arena and leaves nothing behind. On a terminal the spectator's screen follows the battles; without
one, each session is told in plain text as it ends.
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

from rich.console import Console

from server.config import Config
from server.narrator import Narrator, Silence
from spaces import registry

START_TIMEOUT_S = 90.0
LLM_SPACE = "rap-battle"


class DemoFailed(RuntimeError):
    """The demo could not go on; the message says why and where the log is."""


def run(
    config: Config, *, sessions: int, on_screen: bool, out: Path | None, space: str | None
) -> None:
    """Run the demo until it is quit or `sessions` have ended (0: no end). Raises DemoFailed."""
    quotas = share_out(sessions, space)
    with tempfile.TemporaryDirectory(prefix="agon-demo-") as folder:
        log = Path(folder) / "arena.log"
        with _arena(config, Path(folder), log, quotas) as api:
            narrator = Narrator(api, out)
            if on_screen:
                _show(narrator, api, out)
                return
            try:
                narrator.tell(sessions)
            except Silence as error:
                raise DemoFailed(f"{error}; the arena's log is {_keep(log)}") from None


def _show(narrator: Narrator, api: str, out: Path | None) -> None:
    from tui_client.app import WatchError, run_watch

    try:
        run_watch(api, follow=True)
    except WatchError as error:
        raise DemoFailed(str(error)) from None
    if out is not None:
        narrator.save_finished()


def _keep(log: Path) -> Path:
    """Save the log from the demo's folder, which is about to go."""
    kept = Path(tempfile.gettempdir()) / f"agon-demo-{os.getpid()}.log"
    kept.write_bytes(log.read_bytes())
    return kept


def share_out(sessions: int, space: str | None) -> dict[str, int]:
    """How many sessions each Space plays: a third of them, at least one, are battles of language models.

    Zero means without end. Raises DemoFailed for an unknown Space.
    """
    known = [each.id for each in registry.all_spaces()]
    if space is not None:
        if space not in known:
            raise DemoFailed(f"no Space {space!r}; there are: {', '.join(known)}")
        return {space: sessions}
    if sessions == 0:
        return dict.fromkeys(known, 0)
    battles = max(1, sessions // 3)
    shares = {LLM_SPACE: battles, "bid-tac-toe": sessions - battles}
    return {each: count for each, count in shares.items() if count}


@contextlib.contextmanager
def _arena(config: Config, folder: Path, log: Path, quotas: dict[str, int]) -> Iterator[str]:
    """A child `agon serve` with every role; yields its API's URL once it answers."""
    ready = folder / "ready.json"
    environment = os.environ | {
        "AGON_API_PORT": "0",
        "AGON_GATEWAY_PORT": "0",
        "AGON_GATEWAY_PUBLIC_URL": "",
        "AGON_DATA_DIR": str(folder / "data"),
    }
    house = ",".join(f"{space}={count}" for space, count in quotas.items())
    command = [
        *(sys.executable, "-m", "server.cli", "serve", "--house", house),
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
        yield _await_ready(child, ready, log)
    finally:
        assert child.stdin is not None
        child.stdin.close()  # the arena drains and ends
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()


def _await_ready(child: subprocess.Popen[bytes], ready: Path, log: Path) -> str:
    console = Console(stderr=True)
    deadline = time.monotonic() + START_TIMEOUT_S
    with console.status("starting redis, database, language model and arena …"):
        while not ready.exists():
            if child.poll() is not None or time.monotonic() > deadline:
                tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
                raise DemoFailed("the arena did not start:\n  " + "\n  ".join(tail))
            time.sleep(0.05)
    api: str = json.loads(ready.read_text(encoding="utf-8"))["api"]
    return api
