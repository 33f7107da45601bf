"""`python -m judges.reliability cases.jsonl`: how reliable each judge has been, by what all have said."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from judges.reliability.diagnosis import PPM, Diagnosis, diagnose
from judges.reliability.documents import BadDocument, heard_of
from judges.reliability.labels import LABELS, BadHearing, Heard
from spaces.plain_text import plain_lines

MAX_NAME = 60
"""Characters of a judge's name; an address has 42."""

EXAMPLE = """example:
  python -m judges.reliability cases.jsonl
  python -m judges.reliability cases/*.json --json

agon-case/1 documents as the arena publishes them, one a file or one a line. It is a diagnostic, relative to what judges agree on: no pay and no
slash follows from it."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m judges.reliability",
        description="Estimates each judge's accuracy and confusion (Dawid-Skene) from case documents.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "cases",
        nargs="+",
        metavar="FILE",
        help="with one agon-case/1 document a line; - for standard input",
    )
    parser.add_argument(
        "--tie",
        type=int,
        default=1,
        metavar="MILLI",
        help="scores less apart are a tie, in thousandths of a point (1)",
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    told = parser.parse_args(arguments)
    try:
        hearings = [heard for each in told.cases for heard in heard_in(each)]
        found = sorted(
            diagnose(hearings, told.tie).values(), key=lambda each: -(each.accuracy_ppm or 0)
        )
    except (CannotRead, BadHearing) as error:
        print(error, file=sys.stderr)
        return 2
    if told.json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
    elif not found:
        print(f"{', '.join(told.cases)[:200]}: no judge has revealed anything yet")
    else:
        Console(markup=False, highlight=False).print(_table(found, len(hearings)))
    return 0


class CannotRead(Exception):
    """The message says which file, and what is wrong with it."""


def heard_in(name: str) -> list[Heard]:
    """The hearings of one file's documents; of standard input for `-`. Raises CannotRead."""
    try:
        lines = sys.stdin if name == "-" else Path(name).read_text("utf-8").splitlines()
        return list(heard_of(lines))
    except (OSError, UnicodeDecodeError) as error:
        raise CannotRead(f"cannot read {name}: {error}") from None
    except BadDocument as error:
        raise CannotRead(f"{name}: {error}") from None


def _table(found: Sequence[Diagnosis], hearings: int) -> Table:
    table = Table(
        title=f"Judges by {hearings:,} hearing{'s' if hearings != 1 else ''}",
        caption="Accuracy: against what the whole history takes for true. Rows of the confusion: truth; columns: said "
        f"({', '.join(LABELS)}), %. Trust: what Yuma's clipping leaves; a comparison.",
        title_justify="left",
        caption_justify="left",
    )
    for column in ("judge", "answers", "accuracy", "95 %", "confusion", "trust"):
        table.add_column(column, justify="left" if column == "judge" else "right")
    for each in found:
        known = (
            each.accuracy_ppm is not None and each.low_ppm is not None and each.high_ppm is not None
        )
        table.add_row(
            _plain(each.judge),
            f"{each.answers:,}",
            _percent(each.accuracy_ppm) if known else "too few",
            f"{_percent(each.low_ppm)} to {_percent(each.high_ppm)}" if known else "",
            " | ".join(
                " ".join(f"{100 * cell / PPM:.0f}" for cell in row) for row in each.confusion_ppm
            ),
            _percent(each.trust_ppm),
        )
    return table


def _plain(judge: str) -> str:
    """Documents are anybody's."""
    return " ".join(plain_lines(judge[:MAX_NAME]))


def _percent(ppm: int | None) -> str:
    return "" if ppm is None else f"{100 * ppm / PPM:.1f} %"


if __name__ == "__main__":
    sys.exit(main())
