"""What a bot tells its author while it plays: one short line per thing that happened."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from spaces.plain_text import plain_lines

Say = Callable[[str], None]

LINE_CHARS = 160
SPARING_S = 10.0
"""Between two lines about one trouble that lasts."""


def quiet(line: str) -> None:
    """Says nothing."""


def to_terminal(line: str) -> None:
    """Print with the time of day. Rivals' names and words may be in the line: see `plain`."""
    print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stdout, flush=True)


class Sparing:
    """Says the first line, then at most one every SPARING_S: for what is tried over and over."""

    def __init__(self, say: Say, clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._not_before: float | None = None

    def __call__(self, line: str) -> None:
        now = self._clock()
        if self._not_before is None or now >= self._not_before:
            self._not_before = now + SPARING_S
            self._say(line)

    def over(self) -> None:
        """The trouble has ended: the next line is a first one."""
        self._not_before = None


def plain(text: str, limit: int = LINE_CHARS) -> str:
    """One bounded line without characters that could move the cursor or colour the screen."""
    line = " / ".join(plain_lines(text[: limit * 4]))
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def indented(text: str) -> str:
    """Several lines (a traceback of the author's own code), set off from the journal's."""
    return "\n".join(f"          {line}" for line in text.rstrip().split("\n"))
