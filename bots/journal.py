"""What a bot tells its author while it plays: one short line per thing that happened."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from spaces.plain_text import plain_lines

Say = Callable[[str], None]

LINE_CHARS = 160


def quiet(line: str) -> None:
    """Says nothing."""


def to_terminal(line: str) -> None:
    """Print with the time of day. Rivals' names and words may be in the line: see `plain`."""
    print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stdout, flush=True)


def plain(text: str, limit: int = LINE_CHARS) -> str:
    """One bounded line without characters that could move the cursor or colour the screen."""
    line = " / ".join(plain_lines(text[: limit * 4]))
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def indented(text: str) -> str:
    """Several lines (a traceback of the author's own code), set off from the journal's."""
    return "\n".join(f"          {line}" for line in text.rstrip().split("\n"))
