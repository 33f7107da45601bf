"""Sessions in the lobby: the live ones with what happens in them, then the latest results."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from server.protocol import SessionCard
from tui_client import theme
from tui_client.state import State
from tui_client.text import ELLIPSIS, clean, wrap
from tui_client.text import fit as cut
from tui_client.widgets.canvas import Part, fit, frame, line, spread
from tui_client.widgets.pane import Pane
from tui_client.words import age, fee, name_of, space_title

ROWS_PER_LIVE = 2
SPACE_WIDTH = 13
"""Cells of a Space's name and the blank behind it; longer names push on."""
VOID_CHARS = 200
"""Of the reason of a void session."""
VOID_ROWS = 5
"""Rows that it has under its own."""
NARROW = 60
"""Columns below which a row leaves things out."""


def against(card: SessionCard, width: int) -> Text:
    """Who meets whom, each in the accent of its seat; of many seats as many as `width` cells have
    room for, and how many more there are."""
    if len(card.seats) > 2:
        return _many(card, width)
    parts: list[Part] = []
    for seat in card.seats:
        if parts:
            parts.append((" vs ", theme.FAINT))
        parts.append((name_of(seat), theme.seat_style(seat.seat)))
    return line(*parts)


def _many(card: SessionCard, width: int) -> Text:
    """`Nova, Tortoise, Hawk +2`; two names at least, cut if they must be."""
    names = [cut(name_of(seat), 14) for seat in card.seats]
    for shown in range(len(names), 1, -1):
        more = f" +{len(names) - shown}" if shown < len(names) else ""
        told = line((", ".join(names[:shown]), theme.BRIGHT), (more, theme.DIM))
        if told.cell_len <= width:
            return told
    short = ", ".join(cut(name, 5) for name in names[:2])
    return line((short, theme.BRIGHT), (f" +{len(names) - 2}", theme.DIM))


def _live_rows(card: SessionCard, state: State, width: int) -> list[Text]:
    """Two rows; a narrow place has the Space's name in the second one and leaves out who watches."""
    selected = card.session == state.cursor
    narrow = width < NARROW
    pointer = ("▸ ", theme.BRIGHT) if selected else ("● ", theme.FAINT)
    space = (f"{space_title(card.space):<{SPACE_WIDTH - 1}} ", theme.DIM)
    facts = line((age((state.arena_ms - card.opened_ms) // 1000), theme.DIM))
    if card.watching and not narrow:
        facts = line((f"watching {card.watching}   ", theme.DIM), facts)
    if card.tier_micros:
        facts = line((fee(card.tier_micros) + "   ", theme.MONEY), facts)
    headline = (clean(card.headline, 80), theme.PLAIN)
    if narrow:
        who = against(card, width - facts.cell_len - 4)
        top, bottom = line(pointer, who), line("  ", space, headline)
    else:
        who = against(card, width - facts.cell_len - 4 - SPACE_WIDTH)
        top, bottom = line(pointer, space, who), line("  ", f"{'':<{SPACE_WIDTH}}", headline)
    rows = [spread(top, line("  ", facts), width), fit(bottom, width)]
    return [_highlighted(row) for row in rows] if selected else rows


def _highlighted(row: Text) -> Text:
    marked = row.copy()
    marked.stylize(theme.CURSOR)
    return marked


def paint_live(state: State, width: int, height: int) -> list[Text]:
    """The live sessions, scrolled so that the selected one is in sight."""
    cards = state.lobby.live if state.lobby else []
    room = max(1, (height - 2) // ROWS_PER_LIVE)
    at = next((i for i, card in enumerate(cards) if card.session == state.cursor), 0)
    first = max(0, min(at - room // 2, len(cards) - room))
    rows = [
        row for card in cards[first : first + room] for row in _live_rows(card, state, width - 4)
    ]
    if not cards:
        waiting = "nothing is played now; `agon bot` queues one" if state.lobby else "…"
        rows = [line((waiting, theme.DIM))]
    hidden = (state.lobby.live_count if state.lobby else 0) - room
    note = line((f"{hidden} more", theme.DIM)) if hidden > 0 and cards else None
    return frame(line(("LIVE", theme.TITLE)), rows, width, height, note)


def paint_recent(state: State, width: int, height: int) -> list[Text]:
    """The latest results, newest first."""
    cards = state.lobby.recent if state.lobby else []
    room = max(1, height - 2)
    told = [_recent_rows(card, state, width - 4) for card in cards]
    at = next((i for i, card in enumerate(cards) if card.session == state.cursor), 0)
    first = at
    while first > 0 and sum(map(len, told[first - 1 : at + 1])) <= room // 2 + 1:
        first -= 1
    while first > 0 and sum(map(len, told[first - 1 :])) <= room:
        first -= 1
    rows = [row for each in told[first:] for row in each][:room]
    if not cards:
        rows = [line(("no results yet", theme.FAINT))]
    return frame(line(("RESULTS", theme.TITLE)), rows, width, height)


def _recent_rows(card: SessionCard, state: State, width: int) -> list[Text]:
    """One row; why a session was void has as many as it takes, within reason: somebody paid for it."""
    selected = card.session == state.cursor
    pointer = ("▸ ", theme.BRIGHT) if selected else ("  ", theme.FAINT)
    space = "" if width < NARROW else f"{space_title(card.space):<{SPACE_WIDTH - 1}} "
    room = min(26, width // 2)
    head = line(pointer, (space, theme.DIM), fit(against(card, room), room), " ")
    if card.status == "void":
        rows = _void_rows(head, clean(card.headline, VOID_CHARS), width)
    else:
        rows = [fit(line(head, (clean(card.headline, 80), theme.PLAIN)), width)]
    return [_highlighted(row) for row in rows] if selected else rows


def _void_rows(head: Text, words: str, width: int) -> list[Text]:
    first = wrap(words, max(8, width - head.cell_len))[0]
    rest = words[len(first) :].strip()
    rows = [fit(line(head, (first, theme.ALARM)), width)]
    if rest:
        pieces = wrap(rest, max(8, width - 4))
        if len(pieces) > VOID_ROWS:
            pieces = [*pieces[: VOID_ROWS - 1], f"{pieces[VOID_ROWS - 1]}{ELLIPSIS * 2}"]
        rows += [fit(line("    ", (piece, theme.ALARM)), width) for piece in pieces]
    return rows


class LivePane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_live(state, width, height)


class RecentPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_recent(state, width, height)
