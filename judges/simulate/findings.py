"""What the court promises, held against a report: each promise with its number and whether it holds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec

from judges.simulate.report import Report


class Finding(msgspec.Struct, frozen=True):
    promise: str
    found: str
    holds: bool


def findings(report: Report) -> list[Finding]:
    return [
        _no_deviation(report),
        *_capture(report),
        _price(report),
        _cartel(report),
        _false(report),
        _luck(report),
        _liveness(report),
    ]


def _no_deviation(report: Report) -> Finding:
    """At each tier. Honest is who says what it believes, calibrated or not: the best of both."""
    honest = [each.strategy for each in report.profits if each.honest]
    worst = _lead(report, honest, honest)
    ways = "; ".join(f"{name} {_lead(report, [name], honest):,.0f}" for name in honest)
    return Finding(
        "no profitable deviation of a judge among the modelled strategies, at any fee tier",
        f"the better honest way earns {worst:,.0f} micro-USDC a hearing more than any other, at least (each way by itself: {ways})",
        worst > 0,
    )


def _lead(report: Report, names: Sequence[str], honest: Sequence[str]) -> float:
    """How far the best of `names` is ahead of all that is not honest, at the tier where that is least."""
    return min(
        max(report.by_tier[name][tier] for name in names)
        - max(each[tier] for name, each in report.by_tier.items() if name not in honest)
        for tier in range(len(next(iter(report.by_tier.values()))))
    )


def _capture(report: Report) -> list[Finding]:
    at = {each.seats: each for each in report.captures if each.share == 0.3}
    drawn = [at[seats].drawn for seats in (7, 15, 31)]
    rounds = [
        (each.first, each.appealed, each.last) for each in report.courses if each.share == 0.3
    ]
    falls = all(one >= two for each in rounds for one, two in itertools.pairwise(each))
    return [
        Finding(
            "a stake share of 0.30 holds a 7-seat majority with at most 0.13, and less after appeals",
            f"{at[7].closed:.3f} in closed form; drawn: " + ", ".join(f"{p:.3f}" for p in drawn),
            at[7].closed <= 0.13 and drawn[0] <= 0.13 and drawn[0] > drawn[1] > drawn[2],
        ),
        Finding(
            "at that share, the wrong side wins less often with each appeal of whom it robs",
            "; ".join(" > ".join(f"{p:.3f}" for p in each) for each in rounds)
            + "; but a close case that escalates without one goes wrong more often: see the table",
            falls,
        ),
    ]


def _price(report: Report) -> Finding:
    paid = [each for each in report.prices if each.pot]
    least = min(each.flip / each.pot for each in paid)
    return Finding(
        "to turn a verdict puts more at stake than the pot, at every fee tier",
        f"{least:.1f} pots at least, at the assumed price of FRAC",
        least > 1,
    )


def _cartel(report: Report) -> Finding:
    """Openly. What a quiet lean is worth is in the table of tilts, and no rule takes it back (docs/court.md)."""
    worst = max(each.worth for each in report.tilts if each.way == "openly" and each.share <= 0.3)
    return Finding(
        "a cartel of up to 0.30 of the stake that also plays, and says so in its scores, loses by it",
        f"{worst:+.2f} pots a session, at best",
        worst < 0,
    )


def _false(report: Report) -> Finding:
    at = report.false_slashes[0]
    return Finding(
        "honest judges are slashed falsely in at most 0.1 % of 20 cases",
        f"{at.any:.4%} of {at.judges:,}, if every case is appealed to the last panel",
        at.any <= 0.001,
    )


def _luck(report: Report) -> Finding:
    names = {each.strategy for each in report.profits if each.skill <= 0}
    worst = max((each for each in report.lucks if each.strategy in names), key=lambda e: e.claimed)
    return Finding(
        "luck without skill earns less, once, than its stake would have elsewhere",
        f"{worst.strategy}: {worst.claimed:,.0f} of {worst.capital:,.0f} micro-USDC, at the dearest tier",
        worst.claimed < worst.capital,
    )


def _liveness(report: Report) -> Finding:
    at = next(each for each in report.liveness if each.seats == 7 and each.absent == 0.2)
    return Finding(
        "a case has a verdict though one judge in five does not come",
        f"without one: {at.void:.1e}",
        at.void <= 1e-4,
    )
