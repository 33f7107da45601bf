"""Which step is due: for every stage, seat and deadline."""

from __future__ import annotations

import msgspec
import pytest

from judges.node.duty import Kept, Sat, Stage, Step, Told, due

TOLD = Told(
    session="S1",
    case="0x01",
    hearing=0,
    space="rap-battle",
    transcript="bafk",
    stage=Stage.COMMITTING,
    seat=Sat.DRAWN,
    commit_by_ms=1_000,
    reveal_by_ms=2_000,
)
SEALED, COMMITTED, REVEALED = Kept(False, False), Kept(True, False), Kept(True, True)


@pytest.mark.parametrize(
    ("stage", "seat", "all_committed", "kept", "now_ms", "step"),
    [
        (Stage.EARLY, Sat.DRAWN, False, None, 0, Step.NOTHING),
        (Stage.OVER, Sat.DRAWN, False, SEALED, 0, Step.NOTHING),
        (Stage.COMMITTING, Sat.NONE, False, None, 0, Step.NOTHING),
        (Stage.COMMITTING, Sat.LOST, False, SEALED, 0, Step.NOTHING),
        (Stage.COMMITTING, Sat.DRAWN, False, None, 999, Step.JUDGE),
        (Stage.COMMITTING, Sat.DRAWN, False, None, 1_000, Step.MISSED),
        (Stage.REVEALING, Sat.DRAWN, False, None, 0, Step.MISSED),
        (Stage.COMMITTING, Sat.DRAWN, False, SEALED, 999, Step.COMMIT),
        (Stage.COMMITTING, Sat.DRAWN, False, COMMITTED, 999, Step.COMMIT),
        (Stage.COMMITTING, Sat.DRAWN, False, SEALED, 1_000, Step.MISSED),
        (Stage.COMMITTING, Sat.COMMITTED, False, SEALED, 500, Step.NOTHING),
        (Stage.COMMITTING, Sat.COMMITTED, False, None, 500, Step.STRANGER),
        (Stage.REVEALING, Sat.COMMITTED, True, SEALED, 500, Step.REVEAL),
        (Stage.REVEALING, Sat.COMMITTED, True, REVEALED, 500, Step.REVEAL),
        (Stage.REVEALING, Sat.COMMITTED, False, COMMITTED, 500, Step.NOTHING),
        (Stage.REVEALING, Sat.COMMITTED, False, COMMITTED, 1_000, Step.REVEAL),
        (Stage.REVEALING, Sat.COMMITTED, True, COMMITTED, 2_000, Step.MISSED),
        (Stage.REVEALING, Sat.REVEALED, True, REVEALED, 1_500, Step.NOTHING),
        (Stage.REVEALING, Sat.REVEALED, True, None, 1_500, Step.STRANGER),
    ],
)
def test_the_next_step(
    stage: Stage,
    seat: Sat,
    all_committed: bool,
    kept: Kept | None,
    now_ms: int,
    step: Step,
) -> None:
    told = msgspec.structs.replace(TOLD, stage=stage, seat=seat, all_committed=all_committed)
    assert due(told, kept, now_ms) is step
