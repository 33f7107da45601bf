"""One seat's half of the ring: its verses, round by round, the newest in sight."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from server.protocol import SessionView
from tui_client import theme
from tui_client.observed import open_decision, rap_battle, winner
from tui_client.spectated import Spectated
from tui_client.state import State
from tui_client.widgets.canvas import frame, line
from tui_client.widgets.pane import Pane
from tui_client.widgets.rap.sheet import sheet
from tui_client.words import names, points, waiting_dots

FRAME_COLUMNS = 4
FRAME_ROWS = 2


def _title(view: SessionView, seat: int) -> Text:
    card = next((card for card in view.seats if card.seat == seat), None)
    rating = card.rating_milli if card else None
    name = names(view).get(seat, f"seat {seat + 1}").upper()
    note = f"  {points(rating)}" if rating is not None else ""
    return line((name, theme.seat_style(seat) + Style(bold=True)), (note, theme.DIM))


def _note(spectated: Spectated, view: SessionView, seat: int, now_ms: int) -> Text:
    """What the seat is at, in the edge of its frame."""
    if winner(view) == seat:
        return line(("winner", theme.seat_style(seat) + Style(bold=True)))
    decision = open_decision(view, seat)
    if view.status != "live" or decision is None or decision.done:
        return Text()
    again = "last try, " if decision.attempt > 1 else ""
    return line((again, theme.ALARM), (_at(spectated, seat, now_ms), theme.seat_style(seat)))


def _at(spectated: Spectated, seat: int, now_ms: int) -> str:
    """A draft that was begun anew says so: what stood here has gone, and was not the verse."""
    draft = spectated.draft_of(seat)
    if draft is None:
        return f"thinking {waiting_dots(now_ms)}"
    return "writing" if draft.number == 1 else f"writing draft {draft.number}"


def paint_verses(
    state: State, seat: int, widths: tuple[int, int], width: int, height: int
) -> list[Text]:
    """One column. `widths` are those of both, since the rounds of both stand side by side."""
    spectated = state.spectated
    view = spectated.view if spectated else None
    battle = rap_battle(view)
    if spectated is None or view is None or battle is None:
        return []
    inner = (max(8, widths[0] - FRAME_COLUMNS), max(8, widths[1] - FRAME_COLUMNS))
    rows = sheet(spectated, battle, inner)[seat]
    room = max(1, height - FRAME_ROWS)
    back = min(state.scroll, max(0, len(rows) - room))
    shown = rows[max(0, len(rows) - room - back) : len(rows) - back]
    acting = open_decision(view, seat) is not None and view.status == "live"
    note = _note(spectated, view, seat, state.now_ms)
    lit = theme.SEATS_DIM[seat] if acting or winner(view) == seat else theme.FRAME
    return frame(_title(view, seat), shown, width, height, note, lit)


class VersesPane(Pane):
    """The column of one seat; the two columns share the width of their parent."""

    def __init__(self, seat: int, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._seat = seat

    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        shared = self.parent.size.width if isinstance(self.parent, Widget) else width * 2
        other = max(8, shared - width)
        widths = (width, other) if self._seat == 0 else (other, width)
        return paint_verses(state, self._seat, widths, width, height)
