"""`python -m spaces.prediction.audit TRANSCRIPT`: score every forecast of a session again, by scoringrules.

The transcript is replayed first, which checks its hashes, its commitments and our own scores. Then each
loss is computed by the library, in floats, from what the transcript says alone. Whether a recorded series says
the same, `python -m server.oracle.recheck` tells.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import msgspec

from spaces.prediction import rules
from spaces.prediction.params import Params
from spaces.prediction.score import MICROS, by_scoringrules
from spaces.prediction.state import Round, State
from spaces.transcript import TranscriptError, read, replay

TOLERANCE = 1e-9
"""Relative, of a float against a fraction; besides half a millionth for our rounding."""


class Row(msgspec.Struct, frozen=True):
    """One forecast, scored twice."""

    question: int
    seat: int
    micros: int
    """Ours: minus the loss in millionths, whole."""
    library: float
    """Minus scoringrules' loss, in millionths."""

    @property
    def agrees(self) -> bool:
        return abs(self.micros - self.library) <= 0.5 + TOLERANCE * max(MICROS, abs(self.library))


def audit(state: State) -> Iterator[Row]:
    """Every forecast of the resolved questions; a forfeit is no forecast."""
    for number, one in enumerate(state.rounds, 1):
        scores = rules.scores(state.params, one)
        if scores is None:
            continue
        for seat, forecast in enumerate(one.forecasts):
            if forecast is not None:
                loss = _loss(state.params, one, [Fraction(text) for text in forecast])
                yield Row(number, seat, scores[seat], -loss * MICROS)


def _loss(params: Params, one: Round, forecast: list[Fraction]) -> float:
    if one.resolved is None:
        raise ValueError("not resolved yet")
    value = Fraction(one.resolved.value)
    if params.rule == "crps":
        return by_scoringrules("crps", forecast, params.levels, value) / float(one.scale)
    happened = Fraction(value > Fraction(rules.threshold(params, one)))
    return by_scoringrules(params.rule, forecast, (), happened)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m spaces.prediction.audit")
    parser.add_argument("transcript", type=Path)
    path = parser.parse_args(argv).transcript
    try:
        replayed = replay(read(path.read_bytes()))
    except (OSError, TranscriptError) as error:
        print(f"cannot audit {path}: {error}", file=sys.stderr)
        return 2
    if not isinstance(replayed.state, State):
        print(f"cannot audit {path}: no session of prediction", file=sys.stderr)
        return 2
    rows = list(audit(replayed.state))
    print("question  seat         score    scoringrules")
    for row in rows:
        mark = "" if row.agrees else "  DIFFERS"
        print(f"{row.question:8}  {row.seat:4}  {row.micros:12}  {row.library:14.3f}{mark}")
    wrong = sum(not row.agrees for row in rows)
    print(f"{len(rows)} forecasts scored twice, {wrong} differ (in millionths)")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
