"""Paid sessions on a chain that forgets, by an arena that is killed: every pay-out once, and everybody gets everything back.

    python -m tests.chaos.season                          # 1,000 sessions on anvil: about half an hour
    python -m tests.chaos.season --sessions 60 --chain devchain --json season.json

Starts a chain, an arena in three processes and two node operators. While owners' agents play for 0.10 USDC a session, three
reorganisations take blocks back, the worker is killed twice by SIGKILL, and an operator dies for good. Then everything is
added up anew from the chain's logs and the results; the server is stopped, and every owner withdraws everything. Exits with 1
and says what does not add up.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import traceback
from pathlib import Path

import msgspec

from tests.chaos.season.season import Report, Wanted, run, table


def main() -> int:
    arguments = _arguments()
    wanted = Wanted(
        sessions=arguments.sessions,
        kind=arguments.chain,
        owners=arguments.owners,
        space=arguments.space,
        epoch_every_s=arguments.epoch_every,
        seed=arguments.seed,
    )
    folder = Path(arguments.folder or tempfile.mkdtemp(prefix="agon-season-"))
    folder.mkdir(parents=True, exist_ok=True)
    _tell(f"logs and data are in {folder}")
    try:
        report = asyncio.run(run(wanted, folder, _tell))
    except Exception:  # whatever it was, its place is what helps
        traceback.print_exc()
        _tell(f"it could not go on; logs and data are in {folder}")
        return 1
    for name, value in table(report):
        print(f"{name:45} {value}")
    if arguments.json:
        Path(arguments.json).write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return _verdict(report)


def _verdict(report: Report) -> int:
    for line in report.doubts[:50]:
        print(f"DOES NOT ADD UP  {line}", file=sys.stderr)
    if report.doubts:
        return 1
    print(
        f"all {report.checks} checks hold: every pay-out exactly once, and everybody has everything back"
    )
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.season",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sessions", type=int, default=1_000, help="settled ones, at least")
    parser.add_argument("--chain", choices=("anvil", "devchain"), default="anvil")
    parser.add_argument("--owners", type=int, default=8, help="2 at least")
    parser.add_argument("--space", default="openspiel:kuhn_poker", help="of two seats")
    parser.add_argument("--epoch-every", type=int, default=10, metavar="S")
    parser.add_argument("--seed", type=int, default=1, help="of when things go wrong")
    parser.add_argument("--folder", help="for logs and data; a new one of its own if none is said")
    parser.add_argument("--json", metavar="FILE", help="write the numbers there, too")
    return parser.parse_args()


def _tell(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
