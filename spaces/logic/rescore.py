"""`python -m spaces.logic.rescore TRANSCRIPT`: score every answer of a session again, by its notes alone.

Each note `scores` holds the puzzle, the answers, and what they earned. The generator's own scorer reads
them once more; the session is not played again. That the puzzles are those of the seed, that the answers
are those that were sealed, and that the returns follow, `agon replay` checks.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from spaces.logic import puzzles
from spaces.logic.puzzles import Score
from spaces.transcript import Transcript, TranscriptError, read

LOGIC = "logic"


class _Told(msgspec.Struct):
    """What a note says that scoring it again must lead to."""

    round: int
    generator: str
    scores: list[int]
    marks: list[int]
    scorer_failed: list[int]

    def by_seat(self) -> list[Score]:
        """Raises ValueError where it is not told of the same seats."""
        if len(self.scores) != len(self.marks):
            raise ValueError(f"scores for {len(self.scores)} seats, marks for {len(self.marks)}")
        pairs = enumerate(zip(self.scores, self.marks, strict=True))
        return [Score(points, mark, seat in self.scorer_failed) for seat, (points, mark) in pairs]


class Row(msgspec.Struct, frozen=True):
    """One answer, scored twice."""

    round: int
    generator: str
    seat: int
    told: Score
    again: Score


def rescored(transcript: Transcript) -> Iterator[Row]:
    """Every seat of every puzzle that was scored. Raises ValueError for a note that is none of ours."""
    for entry in transcript.entries:
        if entry.type == "note" and entry.body.get("kind") == "scores":
            yield from _rows(entry.body.get("body"))


def _rows(body: Any) -> Iterator[Row]:
    try:
        told = msgspec.convert(body, _Told)
        said = told.by_seat()
    except msgspec.ValidationError as error:
        raise ValueError(f"no note of scores: {error}") from None
    again = puzzles.rescore(body)
    if len(said) != len(again):
        raise ValueError(f"scores for {len(said)} seats, answers of {len(again)}")
    pairs = zip(said, again, strict=True)
    for seat, (one, other) in enumerate(pairs):
        yield Row(told.round, told.generator, seat, one, other)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m spaces.logic.rescore",
        description="Score every answer of a session of logic again. Exits 1 when a score differs, 2 when "
        "there is nothing to score.",
        epilog="Example: python -m spaces.logic.rescore transcripts/01J8ABC.transcript.json",
    )
    parser.add_argument("transcript", type=Path)
    path = parser.parse_args(argv).transcript
    try:
        transcript = read(path.read_bytes())
        if transcript.space != LOGIC:
            raise ValueError("no session of logic")
        rows = list(rescored(transcript))
    except (OSError, TranscriptError, ValueError) as error:
        print(f"cannot score {path} again: {error}", file=sys.stderr)
        return 2
    print("round  generator                seat  points   mark   again    mark")
    for row in rows:
        mark = "" if row.told == row.again else "  DIFFERS"
        print(
            f"{row.round:5}  {row.generator:23}  {row.seat:4}  {row.told.points:6}  {row.told.mark:5}"
            f"  {row.again.points:6}  {row.again.mark:6}{mark}"
        )
    wrong = sum(row.told != row.again for row in rows)
    print(f"{len(rows)} answers scored again, {wrong} differ (in thousandths)")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
