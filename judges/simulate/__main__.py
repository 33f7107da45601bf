"""`python -m judges.simulate`: what the court's rules withstand, with the numbers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from judges.simulate.findings import findings
from judges.simulate.plots import plots
from judges.simulate.report import EXPERIMENTS, FULL, QUICK, Effort, Report, run
from judges.simulate.tables import show

EXAMPLE = """example:
  python -m judges.simulate --seed 7 --out plots/
  python -m judges.simulate --json > court.json

exit status: 0 if all that the court promises holds, 1 if not, 2 for a wrong argument"""


def main(arguments: Sequence[str] | None = None) -> int:
    told = _parser().parse_args(arguments)
    effort = QUICK if told.quick else FULL
    if told.out is not None and told.out.exists() and not told.out.is_dir():
        print(f"--out {told.out}: is a file; name a directory", file=sys.stderr)
        return 2
    return tell(_watched(told.seed, effort), as_json=told.json, out=told.out)


def tell(report: Report, *, as_json: bool = False, out: Path | None = None) -> int:
    """Prints, draws; the exit status."""
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name, drawing in plots(report).items():
            (out / name).write_text(drawing, encoding="utf-8")
    found = findings(report)
    if as_json:
        whole = {"report": report, "findings": found}
        print(msgspec.json.format(msgspec.json.encode(whole), indent=1).decode())
    else:
        console = Console()
        show(report, console)
        if out is not None:
            console.print(f"plots: {out}")
    return 0 if all(each.holds for each in found) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m judges.simulate",
        description="Simulates the court: capture, flips, what a verdict costs, what each way of judging earns, false slashes, absence.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seed", type=int, default=6, help="the same seed prints the same numbers (6)"
    )
    parser.add_argument("--quick", action="store_true", help="in seconds, and rougher")
    parser.add_argument("--json", action="store_true", help="all numbers as JSON")
    parser.add_argument("--out", type=Path, metavar="DIR", help="writes plots there, as SVG")
    return parser


def _watched(seed: int, effort: Effort) -> Report:
    """On standard error, where it is a terminal, says how far it is."""
    errors = Console(stderr=True)
    columns = (
        TextColumn("{task.description:>14}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("", total=len(EXPERIMENTS))

        def told(name: str) -> None:
            bar.update(task, description=name, advance=1)

        return run(seed, effort, told)


if __name__ == "__main__":
    sys.exit(main())
