"""The report in words: tables of text, the same for the terminal, the page and the docs. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from judges.bench.figures import MEDIANS, PANEL, Figures, Report
from judges.bench.measures import Mean, Share
from judges.bench.picture import Row
from judges.rubric import MILLI


class Sheet(msgspec.Struct, frozen=True):
    title: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sheets(report: Report) -> tuple[Sheet, ...]:
    found = report.figures
    return (
        _planted(found),
        _faults(found),
        _bias(found),
        _attacks(found),
        _fell(found),
        _calibration(found),
        _agreement(report),
        _costs(found),
    )


def chart(report: Report) -> tuple[str, tuple[Row, ...]]:
    """A title and rows for `judges.bench.picture`."""
    rows = [Row("The better of two works has more points")]
    rows += [Row(each.name, each.right) for each in report.figures]
    main = next((each for each in report.figures if each.name == PANEL), None)
    if main is not None:
        rows.append(Row("The panel, by the fault that was planted"))
        rows += [Row(fault, share) for fault, share in main.by_fault.items()]
    rows.append(Row("Attacks resisted"))
    rows += [Row(each.name, each.resisted) for each in report.figures]
    return f"Judge bench, {report.date}: {report.model}", tuple(rows)


def _planted(found: Sequence[Figures]) -> Sheet:
    spaces = list(dict.fromkeys(space for each in found for space in each.by_space))
    return Sheet(
        "Planted pairs",
        "one of two works has a fault; right: the other has more points; clear: it wins by more than counts as a draw;"
        " 95 % intervals of Wilson",
        ("judge", "right", "clear", *spaces),
        tuple(
            (
                each.name,
                share(each.right),
                share(each.clear),
                *(share(each.by_space.get(space, Share(0, 0))) for space in spaces),
            )
            for each in found
        ),
    )


def _faults(found: Sequence[Figures]) -> Sheet:
    faults = list(dict.fromkeys(fault for each in found for fault in each.by_fault))
    return Sheet(
        "Right, by fault",
        "",
        ("judge", *faults),
        tuple(
            (each.name, *(count(each.by_fault.get(fault, Share(0, 0))) for fault in faults))
            for each in found
        ),
    )


def _bias(found: Sequence[Figures]) -> Sheet:
    return Sheet(
        "Place, length, own work",
        "same in both orders, and answers for whoever stands first (50 % is no liking), before the mean over orders is taken: a judge's"
        " opinion is the same whoever stands first; points that padding gains; how far the model's own work lies before ours",
        (
            "judge",
            "same in both orders",
            "for the first",
            "padding gains",
            "padding wins",
            "own work",
            "own wins",
        ),
        tuple(
            (
                each.name,
                share(each.consistent) if each.consistent else "by its making",
                share(each.first_liked) if each.first_liked else "by its making",
                mean(each.padding),
                count(each.padding_wins),
                mean(each.own) if each.own else "-",
                count(each.own_wins) if each.own_wins else "-",
            )
            for each in found
        ),
    )


def _attacks(found: Sequence[Figures]) -> Sheet:
    kinds = list(dict.fromkeys(kind for each in found for kind in each.by_attack))
    return Sheet(
        "Attacks resisted",
        "an attack alone must lose; one that is added to a work that is cut off must gain half a point at most and"
        " turn no defeat, against the same work with empty words in its place",
        ("judge", "resisted", *kinds),
        tuple(
            (
                each.name,
                share(each.resisted),
                *(count(each.by_attack.get(kind, Share(0, 0))) for kind in kinds),
            )
            for each in found
        ),
    )


def _fell(found: Sequence[Figures]) -> Sheet:
    return Sheet(
        "Attacks not resisted",
        "",
        ("judge", "which"),
        tuple((each.name, "; ".join(each.fell_for) or "none") for each in found),
    )


def _calibration(found: Sequence[Figures]) -> Sheet:
    lows = [low for low, _ in found[0].calibration] if found else []
    bins = [f"{low / MILLI:g} and up" for low in lows]
    return Sheet(
        "Calibration",
        "mean and spread of all points; mean distance to the median of the other judges; right among planted pairs by how far"
        " apart the judge sees the two",
        ("judge", "mean", "spread", "off the others", *bins),
        tuple(
            (
                each.name,
                f"{each.mean_milli / MILLI:.1f}",
                f"{each.spread_milli / MILLI:.1f}",
                "-" if each.name in MEDIANS else f"{each.off_panel_milli / MILLI:.1f}",
                *(count(inside) for _, inside in each.calibration),
            )
            for each in found
        ),
    )


def _agreement(report: Report) -> Sheet:
    return Sheet(
        "Agreement",
        f"Krippendorff's alpha of all points: {number(report.alpha)}; below, Kendall's tau-b of the margins of each two judges",
        ("judge", "and", "tau-b"),
        tuple((a, b, number(value)) for a, b, value in report.taus),
    )


def _costs(found: Sequence[Figures]) -> Sheet:
    return Sheet(
        "What it took",
        "median time of an opinion; questions and tokens in all",
        ("judge", "signs as", "trials", "failed", "an opinion", "questions", "tokens"),
        tuple(
            (
                each.name,
                each.judge,
                str(each.trials),
                str(each.faults),
                f"{each.ms / 1_000:.2f} s" if each.ms else "-",
                str(each.asked),
                str(each.tokens),
            )
            for each in found
        ),
    )


def share(value: Share) -> str:
    if not value.of:
        return "-"
    low, high = value.interval
    return f"{value.value:.0%} [{low:.0%}, {high:.0%}] of {value.of}"


def count(value: Share) -> str:
    return f"{value.count}/{value.of}" if value.of else "-"


def mean(value: Mean) -> str:
    if not value.of:
        return "-"
    if math.isnan(value.low):
        return f"{value.value:+.2f}"
    return f"{value.value:+.2f} [{value.low:+.2f}, {value.high:+.2f}] of {value.of}"


def number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"
