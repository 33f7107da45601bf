"""The seats: who thinks, who has sealed an answer, and how they stand in puzzles solved and time."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from server.protocol import SeatCard, SessionView
from tui_client import theme
from tui_client.observed import open_decision, winner
from tui_client.spectated import Spectated
from tui_client.widgets.canvas import Part, fit, frame, line
from tui_client.widgets.deciding import SEALED
from tui_client.widgets.logic.observed import SOLVED, Logic
from tui_client.widgets.places import place, standing
from tui_client.words import name_of, void_reason, waiting_dots

NAMED = 52
"""Columns from which there is room for long words."""
COUNT = 6
TIME = 8


def seconds(ms: int) -> str:
    """Tenths matter, since time breaks ties."""
    return f"{ms / 1000:.1f}s"


def gave_up(spectated: Spectated, seat: int) -> bool:
    """Whether the last that we heard of a seat that owes nothing is its forfeit."""
    kinds = (note.type for note in reversed(spectated.notes) if note.seat == seat)
    return next(kinds, "") == "forfeit"


def _doing(spectated: Spectated, view: SessionView, seen: Logic, seat: int, now_ms: int) -> Part:
    if view.status != "live" or seen.puzzle is None:
        return ""
    if seen.answers_in[seat]:
        forfeited = gave_up(spectated, seat)
        return ("forfeit", theme.ALARM) if forfeited else (f"sealed {SEALED}", theme.BRIGHT)
    decision = open_decision(view, seat)
    if decision is not None and decision.attempt > 1:
        return ("retry" + waiting_dots(now_ms), theme.ALARM)
    return ("think" + waiting_dots(now_ms), theme.DIM)


def _row(view: SessionView, card: SeatCard, doing: Part, seen: Logic, width: int) -> Text:
    seat, ranking = card.seat, standing(view, seen.ranks)
    if view.status == "void":
        return place(card, ranking, width)
    lead = seen.ranks[seat] == 1 and len(set(seen.ranks)) > 1
    solved = (f"{seen.points[seat] // SOLVED:>{COUNT}}", theme.BRIGHT + Style(bold=lead))
    spent = (f"{seconds(seen.times_ms[seat]):>{TIME}}", theme.DIM)
    room = 12 if width >= NAMED else 8
    name = place(card, ranking, max(6, width - room - COUNT - TIME))
    return line(name, fit(line(doing), room), solved, spent)


def _title(view: SessionView) -> Text:
    if view.status == "void":
        return line(("VOID", theme.ALARM), (f"  {void_reason(view)}", theme.DIM))
    if view.status == "live":
        return line(("SEATS", theme.TITLE))
    won = winner(view)
    if won is None or won >= len(view.seats):
        return line(("A DRAW", theme.TITLE))
    name = name_of(view.seats[won]).upper()
    return line((f"{name} WINS", theme.SEATS[0] + Style(bold=True)))


def paint_seats(spectated: Spectated, seen: Logic, width: int, now_ms: int) -> list[Text]:
    """As high as it has to be: one row a seat."""
    view = spectated.view
    if view is None:
        return []
    rows = [
        _row(view, card, _doing(spectated, view, seen, card.seat, now_ms), seen, width - 4)
        for card in view.seats
    ]
    note = line((f"{'solved':>{COUNT}}{'time':>{TIME - 1}}", theme.FAINT))
    if view.status == "void":
        note = Text(end="")
    return frame(_title(view), rows, width, len(rows) + 2, note)
