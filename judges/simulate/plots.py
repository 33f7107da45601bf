"""A report as charts: name of the file -> SVG."""

from __future__ import annotations

from judges.simulate.chart import chart
from judges.simulate.report import GAPS, NOISES, PANELS, Report


def plots(report: Report) -> dict[str, str]:
    return {
        "capture.svg": chart(
            "An attacker holds most seats of a panel",
            "its share of the stake",
            "probability",
            {
                f"{seats} seats": [(e.share, e.drawn) for e in report.captures if e.seats == seats]
                for seats in PANELS
            },
        ),
        "courses.svg": chart(
            "The wrong side wins at a gap of 1 point, against open colluders",
            "their share of the stake",
            "probability",
            {
                name: [
                    (each.share, getattr(each, name))
                    for each in report.courses
                    if each.gap == GAPS[1]
                ]
                for name in ("first", "escalated", "appealed", "last")
            },
        ),
        "flips.svg": chart(
            "The wrong side wins a first panel, colluders saying 10 and 0",
            "colluders of 7",
            "probability",
            {
                f"gap {gap / 1000:g}": [(e.colluders, e.open) for e in report.flips if e.gap == gap]
                for gap in GAPS
            },
        ),
        "skill.svg": chart(
            "Retention: honest judges, and a cartel that makes its scores up",
            "the cartel's share of the seats",
            "mean skill",
            {
                f"{who}, noise x{noise:g}": [
                    (e.share, getattr(e, who)) for e in report.retention if e.noise == noise
                ]
                for noise in (NOISES[0], NOISES[2], NOISES[-1])
                for who in ("honest", "cartel")
            },
        ),
        "liveness.svg": chart(
            "A hearing reaches its quorum",
            "chance that a judge does not come",
            "probability",
            {
                f"{seats} seats": [
                    (e.absent, e.quorum) for e in report.liveness if e.seats == seats
                ]
                for seats in sorted({each.seats for each in report.liveness})
            },
        ),
        "attempts.svg": chart(
            "What an attempt is worth to who holds the first panel, in pots",
            "share of the stake",
            "pots",
            {
                f"appealed {often:.0%}": [
                    (e.share, e.worth) for e in report.attempts if e.appeals == often
                ]
                for often in sorted({each.appeals for each in report.attempts})
            },
        ),
    }
