"""A board from a results file and nothing else, as JSON: what the arena's own job runs, and anyone may.

    python -m server.official FILE SPACE [DAYS SESSIONS]

Exits with 1, and a line on standard error, where the file cannot be used.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from server.official.board import board
from server.official.document import BoardWindow
from server.official.likelihood import NoMaximum
from server.official.results import BadResults, read, source_of


def main(arguments: list[str]) -> int:
    if len(arguments) not in (2, 4):
        print(__doc__, file=sys.stderr)
        return 2
    path, space = Path(arguments[0]), arguments[1]
    window = BoardWindow(*map(int, arguments[2:])) if arguments[2:] else BoardWindow()
    os.nice(10)  # matches are played on the same cores
    try:
        made = board(space, read(path), window)
        made = msgspec.structs.replace(made, source=source_of(path))
    except (BadResults, NoMaximum) as error:
        print(error, file=sys.stderr)
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(made))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
