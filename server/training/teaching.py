"""The child process that trains: torch never enters the arena's own.

It is started in the job's folder and writes there: `progress.jsonl` as it goes, `made.json` at the end, `child.log` of all that it says. It ends
when its standard input does, so it does not outlive a worker that was killed; should it take a moment, the next one waits
for the folder's lock. Killed at any instant, it goes on from its last checkpoint when it is started again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from server.jobs.faults import Permanent, StepFault
from server.training import progress
from server.training.progress import Seen

MADE = "made.json"
LOG = "child.log"
CANNOT = 65
"""Exit status of a child that can never do it, EX_DATAERR: its last line says why, for the owner to read."""
LOG_MAX = 1024 * 1024
POLL_S = 2.0
ENDING_S = 10.0

Told = Callable[[Seen, int], Awaitable[None]]
"""How far it is, and the milliseconds since it was last told. What it raises ends the child."""


class ChildDied(StepFault):
    """The process ended without having made anything. Tried again."""


class Teaching:
    """Runs the child for one job at a time and slot."""

    def __init__(
        self, command: Callable[[Path, str], Sequence[str]], *, poll_s: float = POLL_S
    ) -> None:
        """`command` of a folder and a device, e.g. `cuda:0`."""
        self._command = command
        self._poll_s = poll_s

    async def teach(self, folder: Path, device: str, told: Told) -> None:
        """Return once `made.json` lies in the folder; at once when it does already. Cancelling ends the child.

        Raises Permanent, ChildDied, and what `told` raises.
        """
        if (folder / MADE).is_file():
            return
        log = folder / LOG
        if log.is_file() and log.stat().st_size > LOG_MAX:
            log.unlink()
        with log.open("ab") as said:
            child = await asyncio.create_subprocess_exec(
                *self._command(folder, device),
                stdin=asyncio.subprocess.PIPE,
                stdout=said,
                stderr=said,
                start_new_session=True,  # Ctrl-C is for us to hand on
            )
        try:
            await self._follow(child, folder, told)
        finally:
            await _end(child)
        self._judge(child, folder)

    async def _follow(self, child: asyncio.subprocess.Process, folder: Path, told: Told) -> None:
        ended = asyncio.ensure_future(child.wait())
        since = time.monotonic()
        try:
            while True:
                done, _ = await asyncio.wait({ended}, timeout=self._poll_s)
                now = time.monotonic()
                await told(seen(folder), int((now - since) * 1_000))
                since = now
                if done:
                    return
        finally:
            ended.cancel()

    def _judge(self, child: asyncio.subprocess.Process, folder: Path) -> None:
        if child.returncode == 0 and (folder / MADE).is_file():
            return
        last = _last_line(folder / LOG)
        if child.returncode == CANNOT:
            raise Permanent(last or "it cannot be trained, and does not say why")
        how = (
            f"was ended by {signal.Signals(-child.returncode).name}"
            if child.returncode is not None and child.returncode < 0
            else f"ended with {child.returncode}"
        )
        raise ChildDied(f"the training process {how}: {last or 'it said nothing'}")


def seen(folder: Path) -> Seen:
    """How far the training in this folder is."""
    try:
        return progress.read((folder / progress.FILE).read_bytes())
    except FileNotFoundError:
        return Seen()


async def _end(child: asyncio.subprocess.Process) -> None:
    """It, and what it has started. Idempotent."""
    if child.returncode is None:
        _signal(child, signal.SIGTERM)
        try:
            async with asyncio.timeout(ENDING_S):
                await asyncio.shield(child.wait())
        except (TimeoutError, asyncio.CancelledError):
            _signal(child, signal.SIGKILL)
            await child.wait()
    if child.stdin is not None:
        child.stdin.close()


def _signal(child: asyncio.subprocess.Process, number: signal.Signals) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return


def _last_line(log: Path) -> str:
    try:
        lines = log.read_bytes()[-4_096:].decode(errors="replace").strip().splitlines()
    except FileNotFoundError:
        return ""
    return lines[-1][:300] if lines else ""
