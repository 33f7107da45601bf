"""The panel, a judge a row: who it is, what it judges by, how far it is, and what the case brought it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from server.protocol import BenchSeat, CaseView, SheetView
from tui_client import theme
from tui_client.owner.amounts import signed
from tui_client.text import clean
from tui_client.widgets.canvas import Part, fit, line
from tui_client.widgets.court.progress import MAX_PANEL
from tui_client.words import points

NAME_WIDTH = 13
FAMILY_WIDTH = 18
STATE_WIDTH = 11
SCORE_WIDTH = 6
FRAC = 10**18

_MARKS: dict[str, tuple[str, Style]] = {
    "drawn": ("·", theme.FAINT),
    "committed": ("▮", theme.PLAIN),
    "revealed": ("✓", theme.BRIGHT),
    "absent": ("✗", theme.ALARM),
    "replaced": ("✗", theme.ALARM),
}


def short(address: str) -> str:
    """`0x9A67…7508`."""
    told = clean(address, 80)
    return told if len(told) <= 12 else f"{told[:6]}…{told[-4:]}"


def paint_bench(court: CaseView, width: int, weights: Sequence[int] = ()) -> list[Text]:
    """As many rows as there are judges (`r6`: a reserve, who sits in somebody's place); what they found stands behind them once all have told it."""
    sheets = {sheet.judge: sheet for sheet in court.sheets[:MAX_PANEL]}
    rows = [_head(court, width)] if sheets else []
    return rows + [
        fit(_row(number, seat, sheets.get(seat.judge), court), width)
        for number, seat in enumerate(court.panel[:MAX_PANEL], 1)
        if not (seat.reserve and seat.state == "drawn")
    ]


def _head(court: CaseView, width: int) -> Text:
    lead = 6 + NAME_WIDTH + FAMILY_WIDTH + STATE_WIDTH
    seats = "".join(
        f"{f'seat {seat + 1}':>{SCORE_WIDTH + 1}}" for seat in range(min(8, court.contestants))
    )
    return fit(line((f"{'':<{lead}}{seats}    skill   USDC", theme.FAINT)), width)


def _row(number: int, seat: BenchSeat, sheet: SheetView | None, court: CaseView) -> Text:
    mark, style = _MARKS.get(seat.state, ("·", theme.FAINT))
    place = f"{'r' if seat.reserve else ''}{number}"
    parts: list[Part] = [
        (f"{place:>3} ", theme.DIM),
        fit(line((short(seat.judge), theme.PLAIN)), NAME_WIDTH),
        fit(line((clean(seat.family, 40), theme.DIM)), FAMILY_WIDTH),
        (f"{mark} ", style),
        fit(
            line((seat.state, theme.ALARM if style is theme.ALARM else theme.DIM)), STATE_WIDTH - 1
        ),
    ]
    if sheet is not None:
        parts += _found(sheet, court)
    return line(*parts)


def _found(sheet: SheetView, court: CaseView) -> list[Part]:
    means = [_mean(sheet, seat) for seat in range(min(8, court.contestants))]
    best = max(means, default=0)
    parts: list[Part] = []
    for seat, mean in enumerate(means):
        style = theme.seat_style(seat) if court.contestants == 2 else theme.BRIGHT
        parts.append((f"{points(mean):>{SCORE_WIDTH + 1}}", style if mean == best else theme.DIM))
    skill = f"{sheet.skill_ppm / 1_000_000:+.2f}"
    parts.append((f"  {skill:>7}", theme.PLAIN if sheet.skill_ppm >= 0 else theme.ALARM))
    parts.append(
        (f"  {signed(sheet.pay_micros)}", theme.MONEY if sheet.pay_micros >= 0 else theme.ALARM)
    )
    if (lost := frac(sheet.slash_frac)) != "0":
        parts.append((f"  loses {lost} FRAC", theme.ALARM))
    return parts


def _mean(sheet: SheetView, seat: int) -> int:
    """Of the lines, equally: what weighs more is seen in the medians below."""
    told = [scores[seat] for scores in sheet.scores_milli[:8] if seat < len(scores)]
    return sum(told) // len(told) if told else 0


def frac(units: str) -> str:
    """`12.5` of FRAC's smallest units; `0` for what is no number."""
    if not units.isascii() or not units.isdigit() or len(units) > 40:
        return "0"
    whole, rest = divmod(int(units), FRAC)
    places = f"{rest:018}".rstrip("0")[:4]
    return f"{whole:,}{f'.{places}' if places else ''}"
