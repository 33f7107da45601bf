"""The texts: side by side where there is room, one in front of the others where it was chosen.

Before the reveal each is a sheet that is face down, or one that is still being written.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from server.protocol import SeatCard, SessionView
from tui_client import theme
from tui_client.observed import open_decision
from tui_client.state import State
from tui_client.text import clean_lines, wrap
from tui_client.text import fit as cut
from tui_client.widgets.canvas import abreast, fit, frame, line, spread
from tui_client.widgets.deciding import SEALED
from tui_client.widgets.places import place
from tui_client.widgets.writing import observed
from tui_client.widgets.writing.brief import signs
from tui_client.widgets.writing.observed import Written
from tui_client.words import name_of, seat_mark, waiting_dots

COLUMN = 21
"""Cells that a text needs to stand beside the others."""
ASIDE = 24
"""Cells of the list of all texts beside the one in front."""
SHEET = (7, 5, 6, 3)
"""Widths of the covered words of a sealed text, in a pattern that says nothing of it."""
SHEET_ROWS = 6


def ranking(view: SessionView) -> Sequence[int]:
    """The judges' ranks by seat; none before the verdict."""
    ranks = view.verdict.ranks if view.verdict else []
    return ranks if len(ranks) == len(view.seats) else []


def paint_texts(
    state: State, view: SessionView, seen: Written, width: int, height: int
) -> list[Text]:
    if state.front is not None and state.front < len(view.seats):
        aside = _list(state, view, seen, ASIDE, height)
        return abreast(_column(state, view, seen, state.front, width - ASIDE, height), aside)
    seats = len(view.seats)
    if width // seats < COLUMN:
        return _stacked(state, view, seen, width, height)
    wide = [width // seats + (seat < width % seats) for seat in range(seats)]
    return abreast(*(_column(state, view, seen, seat, wide[seat], height) for seat in range(seats)))


def _doing(state: State, view: SessionView, text: observed.Text) -> Text:
    """What a seat is at, or which points its text meets."""
    if text.state == "forfeited":
        return line(("forfeited", theme.ALARM))
    if text.met is not None:
        return signs(text.met)
    if text.state == "in":
        return line((f"sealed {SEALED}", theme.BRIGHT))
    if view.status != "live":
        return Text(end="")
    decision = open_decision(view, text.seat)
    again = decision is not None and decision.attempt > 1
    dots = waiting_dots(state.now_ms)
    return line((f"retry{dots}" if again else f"writes{dots}", theme.DIM))


def _sheet(width: int) -> list[Text]:
    """Words that are covered."""
    rows = []
    for at in range(SHEET_ROWS):
        words = SHEET[at % len(SHEET) :] + SHEET[: at % len(SHEET)]
        covered = " ".join("░" * each for each in words * 8)[: max(0, width - 3 - at % 3)]
        rows.append(line((covered.rstrip(), theme.FAINT)))
    return rows


def _body(state: State, view: SessionView, text: observed.Text, width: int) -> list[Text]:
    if text.text is not None:
        pieces = [piece for each in clean_lines(text.text) for piece in wrap(each, width)]
        return [line((piece, theme.BRIGHT)) for piece in pieces]
    covered = [Text(), *_sheet(width)] if text.state == "in" else []
    return [_doing(state, view, text), *covered]


def _column(
    state: State, view: SessionView, seen: Written, seat: int, width: int, height: int
) -> list[Text]:
    text, ranks = seen.texts[seat], ranking(view)
    rows = _body(state, view, text, max(4, width - 4))
    room = max(1, height - 2)
    first = min(state.scroll, max(0, len(rows) - room))
    left = len(rows) - first - room
    shown = rows[first : first + room]
    if left > 0 and text.text is not None and room > 2:
        shown[-1] = line((f"↓ {left + 1} more rows", theme.DIM))
    lead = bool(ranks) and ranks[seat] == 1
    style = theme.SEATS_DIM[0] if lead else theme.FRAME
    met = signs(text.met)
    return frame(_name(view, seat, width - met.cell_len - 9), shown, width, height, met, style)


def _name(view: SessionView, seat: int, width: int) -> Text:
    """`1  A Nova`; without the place while there are none."""
    card, ranks = view.seats[seat], ranking(view)
    if ranks:
        shown = place(card, ranks, max(6, min(24, width)))
    else:
        name = cut(name_of(card), max(4, width - 2))
        shown = line((f"{seat_mark(seat)} ", theme.DIM), (name, theme.BRIGHT))
    shown.rstrip()
    return shown


def _list(state: State, view: SessionView, seen: Written, width: int, height: int) -> list[Text]:
    """Everybody beside the text in front."""
    ranks, rows = ranking(view), []
    for card in view.seats:
        row = _headed(state, view, seen, card, ranks, max(8, width - 4))
        if card.seat == state.front:
            row.stylize(theme.CURSOR)
        rows.append(row)
    return frame(line(("TEXTS", theme.TITLE)), rows, width, height)


def _headed(
    state: State,
    view: SessionView,
    seen: Written,
    card: SeatCard,
    ranks: Sequence[int],
    width: int,
) -> Text:
    doing = _doing(state, view, seen.texts[card.seat])
    return spread(place(card, ranks, max(6, width - doing.cell_len - 1)), doing, width)


def _stacked(state: State, view: SessionView, seen: Written, width: int, height: int) -> list[Text]:
    """A few rows of each text under each other: who it is at the left, how it begins at the right."""
    inner = max(16, width - 4)
    lead = min(24, inner // 3)
    rows: list[Text] = []
    for card, most in zip(view.seats, _shares(seen, height - 2), strict=True):
        begins = _excerpt(seen.texts[card.seat], max(4, inner - lead - 2), most)
        head = _headed(state, view, seen, card, ranking(view), lead)
        for at in range(most):
            left = head if at == 0 else fit(Text(), lead)
            rows.append(line(left, "  ", begins[at] if at < len(begins) else Text()))
    note = line(("→ reads one whole", theme.DIM)) if seen.revealed else None
    return frame(line(("TEXTS", theme.TITLE)), rows, width, height, note)


def _shares(seen: Written, room: int) -> list[int]:
    """Rows for each text: one where there is nothing to read, an equal part of the rest elsewhere."""
    long = [text.seat for text in seen.texts if text.state == "in"]
    spare = max(0, room - len(seen.texts))
    return [
        1 + spare // len(long) + (long.index(text.seat) < spare % len(long))
        if text.seat in long
        else 1
        for text in seen.texts
    ]


def _excerpt(text: observed.Text, width: int, rows: int) -> list[Text]:
    """How a text begins, its lines joined by a stroke."""
    if text.text is None:
        return _sheet(width)[:rows] if text.state == "in" else []
    pieces = wrap(" / ".join(each for each in clean_lines(text.text) if each), width)
    if len(pieces) > rows:
        pieces = [*pieces[: rows - 1], " ".join(pieces[rows - 1 :])]
    return [fit(line((piece, theme.BRIGHT)), width) for piece in pieces]
