"""`agon` in a process of its own, without waiting each time for what it imports.

An interpreter that has imported the whole program stands by and forks for every run (`python -m
tests.forked_agon`). A run has its own arguments, environment and output, ends by itself, and leaves nothing to
the next. What it does not try is the start of the interpreter; some tests start real ones for that.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import functools
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGES = ("bots", "server", "spaces", "tui_client")
MAX_REQUEST = 256 * 1024
TIMEOUT_S = 120.0


# ------------------------------------------------------------------ for tests


def agon(
    *arguments: str, env: Mapping[str, str] | None = None, timeout_s: float = TIMEOUT_S
) -> subprocess.CompletedProcess[str]:
    """Run it to its end; `env` replaces the environment. Raises subprocess.TimeoutExpired."""
    request = {"arguments": arguments, "env": dict(os.environ if env is None else env)}
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line,
    ):
        line.connect(_standing_by())
        outputs = array.array("i", [out.fileno(), err.fileno()])
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, outputs)]
        line.sendmsg([json.dumps(request).encode()], ancillary)
        line.settimeout(timeout_s)
        try:
            status = int(line.recv(16))
        except TimeoutError:
            raise subprocess.TimeoutExpired(["agon", *arguments], timeout_s) from None
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(["agon", *arguments], status, out.read(), err.read())


@functools.cache
def _standing_by() -> str:
    """The address of this test run's interpreter, started when it is first asked for. It ends with us,
    since its standard input does."""
    folder = tempfile.TemporaryDirectory(prefix="agon-test-")
    address = f"{folder.name}/agon.sock"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.forked_agon", address],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    atexit.register(folder.cleanup)
    atexit.register(process.wait)
    atexit.register(process.stdin.close)
    assert process.stdout.readline() == b"ready\n", "the interpreter could not import the program"
    process.stdout.close()
    return address


# ------------------------------------------------------------------ the interpreter that stands by


def stand_by(address: str) -> None:
    """Serve runs until standard input ends."""
    _import_all()
    assert threading.active_count() == 1, "a fork would lose the other threads"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            line, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _oversee(line)
            line.close()


def _import_all() -> None:
    for package in map(importlib.import_module, PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                # Some need a library that is not there: whoever runs them will say so.
                with contextlib.suppress(ImportError):
                    importlib.import_module(module.name)


def _oversee(line: socket.socket) -> None:
    """Fork the run, and tell its exit status; where nobody waits for that any more, end it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    raw, ancillary, _, _ = line.recvmsg(MAX_REQUEST, socket.CMSG_SPACE(8))
    request = json.loads(raw)
    outputs = array.array("i")
    outputs.frombytes(ancillary[0][2])
    run = os.fork()
    if run == 0:
        line.close()
        os.setsid()
        _run(request, *outputs)
    while True:
        ended, status = os.waitpid(run, os.WNOHANG)
        if ended:
            with contextlib.suppress(OSError):
                line.send(str(os.waitstatus_to_exitcode(status)).encode())
            os._exit(0)
        if select.select([line], [], [], 0.005)[0]:  # it was closed
            os.killpg(run, signal.SIGKILL)


def _run(request: dict[str, Any], out: int, err: int) -> None:
    """Be `agon`. Never returns."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for mine, given in ((0, nothing), (1, out), (2, err)):
        os.dup2(given, mine)
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = ["agon", *request["arguments"]]
    time.tzset()
    os._exit(_status_of_main())


def _status_of_main() -> int:
    from server import cli

    status = 0
    try:
        cli.main()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    for each in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            each.flush()
    return status


if __name__ == "__main__":
    stand_by(sys.argv[1])
