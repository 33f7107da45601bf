"""The brief: what every text has to do, and, once they are turned over, which ones do."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import Part, fit, frame, line
from tui_client.widgets.writing.observed import Written
from tui_client.words import seat_mark

MAX_POINTS = 8


def sign(met: bool) -> tuple[str, Style]:
    return ("✓", theme.MONEY) if met else ("✗", theme.ALARM)


def signs(met: Sequence[bool] | None) -> Text:
    """`✓✗✓`: the points in their order; nothing before the reveal."""
    return line(*(sign(each) for each in (met or ())[:MAX_POINTS]))


def _marks(seen: Written, at: int) -> Text:
    """One point over all texts, in the order of their letters."""
    cells = ((" ", sign(text.met[at]) if text.met else ("·", theme.FAINT)) for text in seen.texts)
    return line(*(part for cell in cells for part in cell))


def _row(seen: Written, at: int, width: int) -> list[Text]:
    marks = _marks(seen, at) if seen.revealed else Text(end="")
    says = clean(seen.constraints[at].says, 160)
    lead: Part = ("- ", theme.FAINT)
    pieces = wrap(says, max(8, width - marks.cell_len - 3))
    first, *rest = [line((piece, theme.PLAIN)) for piece in pieces[:2]]
    room = width - marks.cell_len
    return [line(fit(line(lead, first), room), marks), *(line("  ", row) for row in rest)]


def paint_brief(seen: Written, width: int, most: int) -> list[Text]:
    """As high as it has to be, at most `most` rows."""
    inner = max(8, width - 4)
    count = min(MAX_POINTS, len(seen.constraints))
    rows = [row for at in range(count) for row in _row(seen, at, inner)]
    if not rows:
        rows = [line(("nothing is checked but the length", theme.FAINT))]
    title = line(("THE TEXT", theme.TITLE), (f"  at most {seen.char_limit} characters", theme.DIM))
    # The letters stand over their marks: the edge takes one cell more than the body's.
    letters = "".join(f" {seat_mark(text.seat)}" for text in seen.texts)[1:-1]
    note = line((letters, theme.DIM), (seat_mark(seen.texts[-1].seat), theme.DIM))
    high = max(3, min(most, len(rows) + 2))
    return frame(title, rows, width, high, note if seen.revealed else None)
