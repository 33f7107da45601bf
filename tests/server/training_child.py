"""Stands for the process that trains: counts steps on its disk, from where the last one was ended. Run with a folder.

`pause` in the folder: seconds for each step. `broken`: what it says before it ends with that status.
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading
import time
from pathlib import Path

from server.training import progress

STEPS = 30
MADE = "made.json"
"""`server.training.teaching.MADE`, without the seconds that importing it takes."""


def main(folder: Path) -> None:
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    lock = (folder / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    if (folder / "broken").exists():
        status, _, words = (folder / "broken").read_text().partition(" ")
        print(words, flush=True)
        sys.exit(int(status))
    (folder / "starts").open("a").write("x")
    pause_s = float((folder / "pause").read_text()) if (folder / "pause").exists() else 0.0
    counter = folder / "step"
    done = int(counter.read_text()) if counter.exists() else 0
    for step in range(done + 1, STEPS + 1):
        time.sleep(pause_s)
        with (folder / progress.FILE).open("ab") as told:
            told.write(progress.line(step, STEPS, 2.0 / step))
        making = counter.with_suffix(".making")
        making.write_text(str(step))
        making.replace(counter)
    (folder / MADE).write_text("{}")


def _end_with_stdin() -> None:
    while os.read(0, 4_096):
        pass
    os._exit(75)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
