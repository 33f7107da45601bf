"""A gate as everybody may see it, while it runs and afterwards. Pure."""

from __future__ import annotations

from server.protocol import GateCard
from server.store.gates import GateRow
from training.gate import sprt
from training.gate.progress import Standing
from training.gate.sprt import Sprt


def card(row: GateRow, standing: Standing) -> GateCard:
    test = standing.test
    low, high = sprt.interval(test.counts)
    verdict = row.verdict
    return GateCard(
        gate=row.gate,
        space=row.space,
        candidate=row.candidate,
        current=row.current,
        status=row.status,
        pairs=test.pairs,
        most=test.bounds.most,
        score_milli=milli(test.score),
        low_milli=milli(low),
        high_milli=milli(high),
        llr_milli=milli(test.llr),
        lower_milli=milli(test.bounds.lower),
        upper_milli=milli(test.bounds.upper),
        test=test.state,
        decision=None if verdict is None else verdict.decision,
        reasons=[] if verdict is None else list(verdict.reasons),
    )


def milli(value: float) -> int:
    return round(value * 1_000)


def drawn(tests: tuple[Sprt, ...]) -> list[int]:
    """The LLR after each pair, in thousandths."""
    return [milli(test.llr) for test in tests[1:]]
