"""The two lines above every session: what it is, who meets whom, the clock, the steps that follow."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from server.protocol import SeatCard, SessionCard, SessionView
from tui_client import theme
from tui_client.space_views import view_of
from tui_client.state import State
from tui_client.text import clean, fit
from tui_client.widgets.canvas import Part, line, spread
from tui_client.widgets.pane import Pane
from tui_client.widgets.session.steps import paint_steps
from tui_client.words import NAME_LIMIT, clock, fee, name_of, points, seat_mark, space_title

HURRY_MS = 5_000
MANY = 9
"""Seats that are named at most."""
NAME_CUTS = (NAME_LIMIT, 14, 10, 8, 6, 5, 4)
"""Cells for each name: the first that leaves all names in sight."""
SUBJECT = 24
"""Cells that the subject keeps beside the steps of the proof."""
VOID_SUBJECT = 58
"""The same of the reason of a void session."""


def next_deadline_ms(view: SessionView) -> int | None:
    """When the first open decision runs out, on the arena's clock."""
    open_ones = [decision.deadline_ms for decision in view.decisions if not decision.done]
    return min(open_ones, default=None) if view.status == "live" else None


def _clock(state: State, view: SessionView) -> list[Part]:
    deadline = next_deadline_ms(view)
    if deadline is None:
        return []
    left = deadline - state.arena_ms
    return [(clock(left), theme.ALARM if left < HURRY_MS else theme.BRIGHT), "   "]


def _facts(state: State, view: SessionView, watching: int) -> Text:
    parts = _clock(state, view)
    if view.status != "live":
        style = theme.ALARM if view.status == "void" else theme.DIM
        parts = [(view.status, style), "   "]
    own = view_of(view)
    if own is not None and (progress := own.progress(view)):
        parts = [(progress, theme.PLAIN), "   ", *parts]
    if view.tier_micros:
        parts = [(fee(view.tier_micros), theme.MONEY), "   ", *parts]
    return line(*parts, ("watching ", theme.DIM), (str(watching), theme.BRIGHT), " ")


def seats(cards: Sequence[SeatCard], width: int) -> Text:
    """The names against each other, with ratings; many are listed by their letters, all of them cut
    alike where `width` cells are not enough for their names, and at last counted."""
    if len(cards) > 2:
        tried = [_lettered(cards[:MANY], most) for most in NAME_CUTS]
        counted = line((f"{len(cards)} seats", theme.BRIGHT))
        return next((told for told in tried if told.cell_len <= width), counted)
    parts: list[Part] = []
    for card in cards:
        if parts:
            parts.append(("  vs  ", theme.FAINT))
        parts.append((name_of(card), theme.seat_style(card.seat) + Style(bold=True)))
        if card.rating_milli is not None:
            parts.append((f" {points(card.rating_milli)}", theme.DIM))
    return line(*parts)


def _lettered(cards: Sequence[SeatCard], most: int) -> Text:
    """`A Nova  B Hawk`: seats among many, each name in at most `most` cells."""
    return Text("  ", end="").join(
        line((f"{seat_mark(card.seat)} ", theme.DIM), (fit(name_of(card), most), theme.BRIGHT))
        for card in cards
    )


def _subject(view: SessionView) -> Text:
    """What it is about; of a void session, why it is void."""
    if view.status == "void" and (why := str((view.outcome or {}).get("reason", ""))):
        return line((f" {clean(why, 200)}", theme.ALARM))
    own = view_of(view)
    return line((f" {clean(view.headline, 80)}", theme.PLAIN)) if own is None else own.subject(view)


def _known_card(state: State, session: str) -> SessionCard | None:
    return next((card for card in state.cards() if card.session == session), None)


def paint_title(state: State, width: int) -> list[Text]:
    """Two lines; from the lobby's card while the session itself has not arrived yet."""
    spectated = state.spectated
    if spectated is None:
        return []
    view = spectated.view or _known_card(state, spectated.session)
    if view is None:
        return [line((f" {clean(spectated.session, 64)}", theme.DIM)), Text()]
    name = line((f" {space_title(view.space).upper()}   ", theme.TITLE))
    if isinstance(view, SessionCard):
        who = seats(view.seats, width - name.cell_len)
        return [line(name, who), line((f" {clean(view.headline, 80)}", theme.DIM))]
    facts = line(" ", _facts(state, view, spectated.watching))
    who = seats(view.seats, width - name.cell_len - facts.cell_len)
    subject = _subject(view)
    kept = VOID_SUBJECT if view.status == "void" else SUBJECT
    told = paint_steps(view.steps, width - min(kept, subject.cell_len) - 2)
    proof = line("  ", told) if told.cell_len else told
    return [spread(line(name, who), facts, width), spread(subject, proof, width)]


class TitlePane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_title(state, width)
