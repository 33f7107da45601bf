"""What was found: each line's median with every judge's own score beside it, and the judges' reasons."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from server.protocol import CaseView, SheetView
from tui_client import theme
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import Part, fit, line
from tui_client.widgets.court.bench import short
from tui_client.words import points

LABEL_WIDTH = 13
MAX_LINES = 8
MAX_REASON = 240
MAX_SHEETS = 31


def paint_medians(court: CaseView, who: dict[int, str], width: int) -> list[Text]:
    """A row for each line of the rubric and contestant: the median, and the scores that it is the middle of."""
    rows: list[Text] = []
    for at, name in enumerate(court.lines[:MAX_LINES]):
        for seat in range(min(8, court.contestants)):
            median = _score(court.medians_milli, at, seat)
            told = [_score(sheet.scores_milli, at, seat) for sheet in court.sheets[:MAX_SHEETS]]
            rows.append(fit(_median_row(name if seat == 0 else "", seat, median, told, who), width))
    return rows


def _median_row(
    name: str, seat: int, median: int, told: Sequence[int], who: dict[int, str]
) -> Text:
    parts: list[Part] = [
        fit(line((clean(name, 24), theme.DIM)), LABEL_WIDTH),
        fit(line((clean(who.get(seat, f"seat {seat + 1}"), 14), theme.seat_style(seat))), 15),
        (f"{points(median):>4}", theme.BRIGHT),
        ("   of ", theme.FAINT),
    ]
    parts += [
        (f"{points(score):>5}", theme.BRIGHT if score == median else theme.DIM) for score in told
    ]
    return line(*parts)


def paint_reasons(court: CaseView, who: dict[int, str], width: int) -> list[Text]:
    """Every judge's words, line by line and seat by seat; what says nothing is left out."""
    rows: list[Text] = []
    families = {seat.judge: seat.family for seat in court.panel}
    for sheet in court.sheets[:MAX_SHEETS]:
        said = list(_said(sheet, court, who, width - 2))
        if said:
            family = clean(families.get(sheet.judge, ""), 40)
            rows.append(line((short(sheet.judge), theme.PLAIN), (f"  {family}", theme.DIM)))
            rows += said
    return rows


def _said(sheet: SheetView, court: CaseView, who: dict[int, str], width: int) -> Sequence[Text]:
    rows: list[Text] = []
    for at, name in enumerate(court.lines[:MAX_LINES]):
        for seat, reason in enumerate((sheet.reasons[at] if at < len(sheet.reasons) else [])[:8]):
            if not (told := clean(reason, MAX_REASON)):
                continue
            head = f"{clean(name, 24)}, {clean(who.get(seat, f'seat {seat + 1}'), 20)}: "
            score = points(_score(sheet.scores_milli, at, seat))
            for first, piece in enumerate(
                wrap(f"{head}{score}  {told if '“' in told else f'“{told}”'}", max(12, width))
            ):
                row = line("  ", (piece, theme.DIM))
                if first == 0 and piece.startswith(head):
                    row.stylize(theme.seat_style(seat), 2, 2 + len(head))
                rows.append(row)
    return rows


def nearest_reason(court: CaseView, at: int, seat: int, median: int) -> str:
    """Of the judges who gave one for this score, the words of the one who is nearest to the median."""
    told = [
        (abs(_score(sheet.scores_milli, at, seat) - median), sheet.reasons[at][seat])
        for sheet in court.sheets[:MAX_SHEETS]
        if at < len(sheet.reasons) and seat < len(sheet.reasons[at]) and sheet.reasons[at][seat]
    ]
    return min(told, default=(0, ""))[1]


def _score(by_line: Sequence[Sequence[int]], at: int, seat: int) -> int:
    """0 where a line is shorter than it should be: what arrives is not believed to have a shape."""
    return by_line[at][seat] if at < len(by_line) and seat < len(by_line[at]) else 0
