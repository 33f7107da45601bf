"""Keeps one embedded service alive for exactly as long as any Agon process uses it.

    python -m server.embedded.guard USERS_LOCK GUARD_LOCK -- COMMAND …

Every Agon process holds a *shared* flock on USERS_LOCK; the kernel drops it when the process ends,
however it ends, SIGKILL included. The guard runs COMMAND, starts it again when it dies, and ends it as
soon as it can take the lock *exclusively*: then nobody is left. It keeps the lock until the service
is gone, so a newcomer waits and then starts a fresh one. The service in turn dies with its guard
(PR_SET_PDEATHSIG, Linux).

A service has one guard: each holds GUARD_LOCK for its life, and one that finds it taken leaves. So a service
that is only too busy to answer is not started beside itself: two redis-servers would answer half of us each,
and write into one file.

A guard per service is one small Python process; in exchange nobody has to be the owner: any process
may start first, and any may be killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

POLL_S = 0.25
STOP_PATIENCE_S = 8.0
MAX_BACKOFF_S = 5.0
_PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> int:
    """Detach and run the guard, which returns when nobody uses the service any more."""
    users, own, separator, *command = argv
    if separator != "--" or not command:
        print(__doc__, file=sys.stderr)
        return 2
    if os.fork():
        return 0  # the caller reaps us at once and never has a child to mind
    os.setsid()  # Ctrl-C in the terminal is for the processes that use us
    with Path(users).open("a") as lock, Path(own).open("a") as mine:
        if not _alone(mine.fileno()):
            return 0  # another guard lives, and minds the service
        return _watch(lock.fileno(), command)


def _watch(lock: int, command: list[str]) -> int:
    backoff_s = POLL_S
    child = _spawn(command)
    started = time.monotonic()
    try:
        while not _alone(lock):
            time.sleep(POLL_S)
            if child.poll() is None:
                continue
            backoff_s = (
                POLL_S if time.monotonic() - started > 10 else min(MAX_BACKOFF_S, backoff_s * 2)
            )
            time.sleep(backoff_s)
            child = _spawn(command)
            started = time.monotonic()
        return 0
    finally:
        _stop(child)


def _alone(lock: int) -> bool:
    """True once nobody else holds the lock; it is then ours until we exit."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _spawn(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)  # noqa: PLW1509, S603 - the guard has one thread, and the command is ours


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
