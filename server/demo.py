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

import msgspec
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
    if out is not None:
        _make_folder(out)
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


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DemoFailed(f"cannot make the folder {out}: {error.strerror}") from None


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
    settings = folder / "agon.toml"
    settings.touch(mode=0o600)  # a knob may be a secret
    settings.write_text(_as_toml(_own(config, folder)), encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AGON_")}
    house = ",".join(f"{space}={count}" for space, count in quotas.items())
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
        yield _await_ready(child, ready, log)
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


def _as_toml(config: Config) -> str:
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
                raise DemoFailed("the arena did not start:\n  " + "\n  ".join(tail))
            time.sleep(0.05)
    api: str = json.loads(ready.read_text(encoding="utf-8"))["api"]
    return api
