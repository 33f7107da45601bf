"""The court over a session: who sits, how far they are, the scores landing together, and why."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.containers import Vertical

from server.protocol import CaseView, SessionView
from tui_client import theme
from tui_client.owner.amounts import money
from tui_client.state import State
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import Part, frame, line
from tui_client.widgets.court.bench import frac, paint_bench, short
from tui_client.widgets.court.progress import found_banner, paint_progress
from tui_client.widgets.court.sheets import paint_medians, paint_reasons
from tui_client.widgets.pane import Pane
from tui_client.widgets.session.title import seats
from tui_client.words import names, space_title

MAX_NOTE = 240


def court_of(state: State) -> tuple[SessionView, CaseView] | None:
    """What the open session has before the court."""
    view = state.spectated.view if state.spectated is not None else None
    return None if view is None or view.court is None else (view, view.court)


def paint_court_title(state: State, width: int) -> list[Text]:
    found = court_of(state)
    if found is None:
        return [line((" COURT", theme.TITLE))]
    view, court = found
    name = line((" COURT   ", theme.TITLE), (f"{space_title(view.space)}   ", theme.PLAIN))
    who = line(name, seats(view.seats, width - name.cell_len))
    return [who, line(" ", paint_progress(court, state.arena_ms))]


def paint_court(state: State, width: int, height: int) -> list[Text]:
    """All there is, scrolled."""
    found = court_of(state)
    if found is None or height < 3:
        return []
    view, court = found
    inner = max(8, width - 4)
    rows = _rows(view, court, inner)
    room = height - 2
    first = min(state.court or 0, max(0, len(rows) - room))
    hidden = len(rows) - first - room
    note = line((f"↓ {hidden} more", theme.DIM)) if hidden > 0 else None
    return frame(found_banner(view, court), rows[first : first + room], width, height, note)


def _rows(view: SessionView, court: CaseView, width: int) -> list[Text]:
    who = names(view)
    rows = [*_facts(court, width), Text(end="")]
    if court.panel:
        rows += [
            line(("PANEL", theme.TITLE), ("  drawn by stake, one seat an operator", theme.FAINT))
        ]
        rows += [*paint_bench(court, width), Text(end="")]
    if court.sheets:
        rows += [line(("MEDIANS", theme.TITLE), ("  each judge counts once", theme.FAINT))]
        rows += [*paint_medians(court, who, width), Text(end="")]
        if reasons := paint_reasons(court, who, width):
            rows += [line(("REASONS", theme.TITLE)), *reasons]
    elif court.panel:
        rows.append(line(("scores are sealed until every judge has committed", theme.DIM)))
    return rows


def _facts(court: CaseView, width: int) -> list[Text]:
    told: list[tuple[str, str]] = [("case", short(f"0x{court.case.removeprefix('0x')}"))]
    if court.batch is not None:
        told.append(("filed", f"batch {court.batch}"))
    if court.seed is not None:
        told.append(("seed", short(f"0x{court.seed.removeprefix('0x')}")))
    told.append(("fee", money(court.fee_micros, "usdc") if court.fee_micros else "none"))
    if (lock := frac(court.lock_frac)) != "0":
        told.append(("a seat can lose", f"{lock} FRAC"))
    parts: list[Part] = []
    for word, says in told:
        parts += [(f"{word} ", theme.DIM), (says, theme.PLAIN), "   "]
    rows = [line(*parts)]
    if court.note:
        rows += [line((piece, theme.MONEY)) for piece in wrap(clean(court.note, MAX_NOTE), width)]
    return rows


class CourtTitlePane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_court_title(state, width)


class CourtPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_court(state, width, height)


def court_panes() -> Vertical:
    return Vertical(CourtTitlePane(), CourtPane(), id="court", classes="view")
