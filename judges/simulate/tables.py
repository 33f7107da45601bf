"""A report as tables in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from judges.simulate.findings import findings
from judges.simulate.price import ENTRIES_MICROS
from judges.simulate.report import NOISES, Report


def show(report: Report, console: Console) -> None:
    for table in (
        _capture(report),
        _flips(report),
        _courses(report),
        _tilts(report),
        _bribes(report),
        _deltas(report),
        _prices(report),
        _attempts(report),
        _profits(report),
        _tiers(report),
        _luck(report),
        _false(report),
        _liveness(report),
        _retention(report),
    ):
        console.print(table)
        console.print()
    verdicts = Table("promise", "found", "", title="What the court promises")
    for each in findings(report):
        verdicts.add_row(each.promise, each.found, "holds" if each.holds else "[red]FAILS[/red]")
    console.print(verdicts)


def _table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], caption: str = ""
) -> Table:
    table = Table(title=title, caption=caption, caption_justify="left", title_justify="left")
    for at, column in enumerate(columns):
        table.add_column(column, justify="left" if at == 0 else "right")
    for row in rows:
        table.add_row(*(each if isinstance(each, str) else f"{each:g}" for each in row))
    return table


def _p(value: float) -> str:
    return f"{value:.4f}" if 0 < value < 0.01 else f"{value:.3f}"


def _usdc(micros: float) -> str:
    return f"{micros / 1e6:,.6f}" if 0 < abs(micros) < 1e4 else f"{micros / 1e6:,.2f}"


def _points(milli: int) -> str:
    return f"{milli / 1000:g}"


def _capture(report: Report) -> Table:
    return _table(
        "An attacker holds most seats of a panel",
        ("stake share", "seats", "closed form", "drawn", "one family alone"),
        (
            (f"{e.share:g}", str(e.seats), _p(e.closed), _p(e.drawn), _p(e.one_family))
            for e in report.captures
        ),
        "Drawn by the court's own draw, with its caps: the attacker has any number of operators and families.",
    )


def _flips(report: Report) -> Table:
    return _table(
        "The worse contestant wins a first panel of 7",
        ("true gap", "colluders", "openly", "by stealth", "by stealth, and not close"),
        (
            (_points(e.gap), str(e.colluders), _p(e.open), _p(e.stealth), _p(e.told))
            for e in report.flips
        ),
        "Openly: 10 and 0. By stealth: honest sheets with a push of a point up and one down.",
    )


def _courses(report: Report) -> Table:
    return _table(
        "The worse contestant wins, by what comes after the first panel",
        ("stake share", "true gap", "first", "escalated", "appealed", "twice"),
        (
            (
                f"{e.share:g}",
                _points(e.gap),
                _p(e.first),
                _p(e.escalated),
                _p(e.appealed),
                _p(e.last),
            )
            for e in report.courses
        ),
        "Each panel has as many open colluders as the share draws.",
    )


def _tilts(report: Report) -> Table:
    return _table(
        "A cartel that also plays: its contestant's sessions, over all gaps (without it: 0.5)",
        ("way", "stake share", "wins", "if all is appealed", "locks lost (pots)", "worth (pots)"),
        (
            (e.way, f"{e.share:g}", _p(e.first), _p(e.last), f"{e.lost:.2f}", f"{e.worth:+.2f}")
            for e in report.tilts
        ),
        "Worth: of one session, nobody appealing. What stealth is worth, no rule of the court takes back: see docs/court.md.",
    )


def _bribes(report: Report) -> Table:
    return _table(
        "p + epsilon: what a briber must be believed to have (USDC)",
        ("entry", "contestants", "pot", "seats", "for this panel", "with those before", "pots"),
        (
            (
                _usdc(e.entry), str(e.contestants), _usdc(e.pot), str(e.seats), _usdc(e.budget),
                _usdc(e.whole), f"{e.whole / e.pot:.1f}",
            )
            for e in report.bribes
            if e.entry in (ENTRIES_MICROS[1], ENTRIES_MICROS[-1])
        ),
    )  # fmt: skip


def _deltas(report: Report) -> Table:
    return _table(
        "Margin of escalation, honest judges alone",
        ("rubric", "margin", "panels more", "escalates", "wrong", "clearly wrong", "draws", "work", "of the fee"),
        (
            (
                e.rubric, _points(e.margin), str(e.automatic), _p(e.escalates), _p(e.wrong),
                _p(e.clearly_wrong), _p(e.draws), f"{e.work:.2f}", f"{e.of_the_fee:.2f}",
            )
            for e in report.deltas
        ),
        "Wrong: the winner is worse than the best by a quarter of a point or more, in truth. Of the fee: what all hearings pay.",
    )  # fmt: skip


def _prices(report: Report) -> Table:
    return _table(
        "What a turned verdict puts at stake",
        ("entry", "contestants", "pot", "gain", "lock (FRAC)", "first panel", "second", "third", "pots", "break-even"),
        (
            (
                _usdc(e.entry), str(e.contestants), _usdc(e.pot), _usdc(e.gain), f"{e.lock_frac:,}",
                _usdc(e.flip), _usdc(e.flip_later[0]), _usdc(e.flip_later[1]),
                f"{e.flip / e.pot:.1f}" if e.pot else "-", f"{e.break_even:.2f}",
            )
            for e in report.prices
        ),
        "USDC, at the assumed price of FRAC. Break-even: how often an attempt must be taken down, at least, for it to lose.",
    )  # fmt: skip


def _attempts(report: Report) -> Table:
    return _table(
        "What it is worth to turn a verdict, for a contestant that happens to hold the first panel (pots)",
        ("stake share", "robbed appeal", "worth"),
        ((f"{e.share:g}", f"{e.appeals:.0%}", f"{e.worth:+.2f}") for e in report.attempts),
    )


def _profits(report: Report) -> Table:
    return _table(
        "Profit by hearing at 1 USDC, micro-USDC: one such judge, six honest ones",
        ("strategy", "does", "skill", "below 0", "pay", "cost", "slashed", "profit", "95 %"),
        (
            (
                e.strategy + ("" if e.possible else " (impossible)"), e.does, f"{e.skill:+.2f}", f"{e.negative:.0%}",
                f"{e.pay:,.0f}", f"{e.cost:,.0f}", f"{e.slashed:,.0f}", f"{e.profit:,.0f}", f"{e.low:,.0f} to {e.high:,.0f}",
            )
            for e in report.profits
        ),
    )  # fmt: skip


def _tiers(report: Report) -> Table:
    return _table(
        "Profit by hearing and entry, micro-USDC",
        ("strategy", *(f"{entry / 1e6:g}" for entry in ENTRIES_MICROS[1:])),
        ((name, *(f"{each:,.0f}" for each in tiers)) for name, tiers in report.by_tier.items()),
    )


def _luck(report: Report) -> Table:
    return _table(
        "What sticks of luck in 100 hearings (a judge earns the highest sum of its pays)",
        (
            "strategy",
            "honest hearings",
            "in the first half",
            "claimed at 25 USDC",
            "its stake elsewhere",
        ),
        (
            (
                e.strategy,
                f"{e.hearings:.2f}",
                f"{e.halfway:.2f}",
                _usdc(e.claimed),
                _usdc(e.capital),
            )
            for e in report.lucks
        ),
    )


def _false(report: Report) -> Table:
    return _table(
        "Honest judges that are slashed, of 20 cases each",
        ("world", "judges", "mean skill", "outlier", "rolling", "overturned", "any"),
        (
            (
                e.world,
                f"{e.judges:,}",
                f"{e.skill:+.2f}",
                *(f"{p:.3%}" for p in (e.outlier, e.rolling, e.overturned, e.any)),
            )
            for e in report.false_slashes
        ),
        "Overturned: if every single case were appealed to the biggest panel.",
    )


def _liveness(report: Report) -> Table:
    return _table(
        "A hearing reaches its quorum",
        ("do not come", "seats", "closed form", "played", "case void"),
        (
            (f"{e.absent:g}", str(e.seats), f"{e.quorum:.5f}", _p(e.played), f"{e.void:.1e}")
            for e in report.liveness
        ),
        "A fifth as many commit and do not reveal.",
    )


def _retention(report: Report) -> Table:
    rows = []
    for noise in NOISES:
        row = [e for e in report.retention if e.noise == noise]
        cells = [f"{e.honest:+.2f} / {e.cartel:+.2f}" for e in row]
        rows.append((f"x{noise:g}", *cells, f"{report.break_even[noise]:.2f}"))
    return _table(
        "Retention: mean skill of honest judges / of a cartel that agrees on scores of its own making",
        (
            "noise",
            *(f"{e.share:g}" for e in report.retention if e.noise == NOISES[0]),
            "break-even",
        ),
        rows,
        "Break-even: the share of the seats from which the cartel does better.",
    )
