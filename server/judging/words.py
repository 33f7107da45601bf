"""A case before the court in plain lines, for a terminal. Pure; what judges have written is made plain by whoever prints it."""

from __future__ import annotations

from collections.abc import Sequence

from server.protocol import BenchSeat, CaseView, SheetView

SHORT = 10
"""Characters of an address that tell it from others on a screen."""


def row(view: CaseView) -> tuple[str, ...]:
    """Of a list."""
    return (
        view.session,
        view.space,
        str(view.hearing),
        view.state,
        _counted(view.panel, view.seats),
    )


def _counted(panel: Sequence[BenchSeat], seats: int) -> str:
    states = [each.state for each in panel]
    revealed = states.count("revealed")
    if not panel:
        return f"{seats} seats, nobody drawn"
    return f"{revealed + states.count('committed')}/{seats} committed, {revealed} revealed"


def case(view: CaseView) -> list[str]:
    """All that is told of one."""
    state = view.state if not view.final else f"{view.state}, the verdict stands"
    told = [
        f"session    {view.session}  {view.space}",
        f"hearing    {view.hearing}: {state}" + (f"; {view.note}" if view.note else ""),
        f"work       {view.transcript}, {view.contestants} contestants, by {view.rubric}",
        f"at stake   {view.fee_micros / 10**6:.6f} USDC for the panel, {frac(view.lock_frac)} a seat",
    ]
    if view.batch is not None:
        told.append(
            f"filed      batch {view.batch} of the chain, judges of snapshot {view.snapshot}"
        )
    told += panel(view)
    for at, name in enumerate(view.lines if view.sheets else []):
        told += _line(view, at, name)
    if view.totals_milli:
        told.append("totals     " + scores(view.totals_milli) + _ranks(view))
    return told


def panel(view: CaseView, own: str = "") -> list[str]:
    """A line for each judge, with what it has earned or lost once that is known."""
    means = {each.judge: each for each in view.sheets}
    return [_seat(each, means.get(each.judge), own) for each in view.panel]


def _seat(seat: BenchSeat, sheet: SheetView | None, own: str) -> str:
    reserve = "reserve " if seat.reserve else ""
    told = f"  {seat.judge}  {seat.family:<14} {reserve}{seat.state}"
    if sheet is not None:
        told += f"  {paid(sheet)}"
    return told + ("  <- this judge" if own and seat.judge.lower() == own.lower() else "")


def paid(sheet: SheetView) -> str:
    """What a hearing brought a judge."""
    lost = "" if int(sheet.slash_frac) == 0 else f", loses {frac(sheet.slash_frac)}"
    return f"skill {sheet.skill_ppm / 10**6:+.2f}, pay {sheet.pay_micros / 10**6:+.6f} USDC{lost}"


def _line(view: CaseView, at: int, name: str) -> list[str]:
    medians = scores(view.medians_milli[at]) if at < len(view.medians_milli) else ""
    told = [f"{name:<10} {medians}"]
    for sheet in view.sheets:
        if at >= len(sheet.scores_milli):
            continue
        reasons = "; ".join(reason for reason in sheet.reasons[at] if reason)
        told.append(
            f"  {sheet.judge[:SHORT]}  {scores(sheet.scores_milli[at])}  {reasons}".rstrip()
        )
    return told


def _ranks(view: CaseView) -> str:
    ranks = f"  ranks {', '.join(map(str, view.ranks))}" if view.ranks else ""
    return ranks + ("" if view.margin_milli is None else f"  margin {view.margin_milli / 1000:.2f}")


def scores(milli: Sequence[int]) -> str:
    """Out of ten, by contestant."""
    return "  ".join(f"{score / 1000:5.2f}" for score in milli)


def frac(parts: str) -> str:
    return f"{int(parts) / 10**18:,.4g} FRAC"
