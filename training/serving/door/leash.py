"""Runs a server for exactly as long as whoever started it lives and wants it.

    python leash.py COMMAND …

It leads a process group of its own. When its standard input ends (it does, however its parent ends) or the command
has ended, all of the group is ended: vLLM's engine is a process of its own, and survives the one that serves HTTP
where that is killed. Only the standard library: it runs in the Python that has vLLM, and not us.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

PATIENCE_S = 8.0
"""After SIGTERM; then SIGKILL."""
_POLL_S = 0.1


def main(command: list[str]) -> None:
    """Never returns: the last thing that it ends is itself."""
    let_go = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: let_go.set())
    threading.Thread(target=_until_the_end_of_input, args=(let_go,), daemon=True).start()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - our own command
    while child.poll() is None and not let_go.wait(_POLL_S):
        pass
    if child.returncode is not None:
        print(f"leash: the server has ended with status {child.returncode}", flush=True)
    os.killpg(0, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(PATIENCE_S)
    os.killpg(0, signal.SIGKILL)


def _until_the_end_of_input(let_go: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4_096):
        pass
    let_go.set()


if __name__ == "__main__":
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)  # so as to end nobody else
    main(sys.argv[1:])
