"""`python -m tui_client URL`: the spectator without the rest of Agon installed around it."""

from __future__ import annotations

import argparse
import sys

from tui_client.app import run_watch
from tui_client.connection import WatchError


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tui_client", description=__doc__)
    parser.add_argument(
        "url", nargs="?", default="http://127.0.0.1:8600", help="the arena's HTTP API"
    )
    parser.add_argument("--session", help="open this session at once")
    parser.add_argument("--follow", action="store_true", help="let the director choose")
    given = parser.parse_args(arguments)
    try:
        run_watch(given.url, given.session, given.follow)
    except WatchError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # while the arena was waited for
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
