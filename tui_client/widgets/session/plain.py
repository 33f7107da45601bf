"""The view of a Space that has none of its own here, e.g. a game of another project: its board as it is
written, its seats, its moves or what was said, and the rest of the public state."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from server.protocol import SeatCard, SessionView
from tui_client import theme
from tui_client.observed import winner
from tui_client.spectated import Spectated
from tui_client.state import State
from tui_client.text import clean, wrap, wrap_block
from tui_client.widgets.canvas import Part, abreast, fit, frame, line, spread
from tui_client.widgets.deciding import deciding
from tui_client.widgets.pane import Pane
from tui_client.widgets.session.reading import Reading, Saying, airy, read
from tui_client.words import name_of, names, seat_mark, void_reason

BESIDE = 72
"""Columns from which the board stands beside the moves."""
MANY = 10
"""Seats that are shown at most."""
SHORT = 3
"""Rows of a message; the last one is not cut, and boards are shown on their own."""
FACTS = 6
LABEL = 12


def paint_plain(state: State, width: int, height: int) -> list[Text]:
    spectated = state.spectated
    view = spectated.view if spectated else None
    if spectated is None or view is None:
        return []
    reading = read(view.state, len(view.seats))
    if width < BESIDE:
        return _under_each_other(state, spectated, view, reading, width, height)
    left = _left_width(reading, width)
    right = width - left
    seats = _seats(state, view, reading, right, height)
    told = _told(state, spectated, view, reading, right, max(0, height - len(seats)))
    return abreast(_board(view, reading, left, height), [*seats, *told])[:height]


def _under_each_other(
    state: State, spectated: Spectated, view: SessionView, reading: Reading, width: int, height: int
) -> list[Text]:
    seats = _seats(state, view, reading, width, height)
    room = max(0, height - len(seats))
    board = _board(view, reading, width, min(room, max(6, room * 3 // 5)))
    told = _told(state, spectated, view, reading, width, max(0, room - len(board)))
    return [*seats, *board, *told][:height]


def _left_width(reading: Reading, width: int) -> int:
    """As wide as the board needs, at most three fifths of the place."""
    widest = max((len(row) for _, rows in reading.boards for row in airy(rows)), default=0)
    return max(min(40, width // 2), min(width * 3 // 5, widest + 8))


def _style(view: SessionView, seat: int) -> Style:
    return theme.seat_style(seat) if len(view.seats) == 2 else theme.BRIGHT


def _board(view: SessionView, reading: Reading, width: int, height: int) -> list[Text]:
    """The boards as they are written, then the facts."""
    inner = max(8, width - 4)
    rows: list[Text] = []
    for name, lines in reading.boards:
        if len(reading.boards) > 1:
            rows.append(line((name, theme.FAINT)))
        rows += [line((row, theme.BRIGHT)) for row in wrap_block(airy(lines), inner)]
        rows.append(Text())
    facts = _facts(reading, inner)
    room = max(1, height - 2)
    if facts and len(rows) + len(facts) > room:
        rows = rows[: max(room // 2, room - len(facts))]
    rows += facts
    if not rows:
        rows = [line((clean(view.headline, 120), theme.PLAIN))]
    return frame(line((clean(view.space, 40), theme.TITLE)), rows, width, height)


def _facts(reading: Reading, width: int) -> list[Text]:
    rows: list[Text] = []
    for name, told in reading.facts:
        for at, piece in enumerate(wrap(told, max(8, width - LABEL))[:FACTS]):
            rows.append(line(fit(line((name if at == 0 else "", theme.DIM)), LABEL), piece))
    return rows


def _seats(
    state: State, view: SessionView, reading: Reading, width: int, height: int
) -> list[Text]:
    cards = view.seats[: max(1, min(MANY, height // 2 - 2))]
    rows = [_seat(state, view, reading, card, max(8, width - 4)) for card in cards]
    won = winner(view) if view.status == "ended" else None
    title = line(("SEATS", theme.TITLE))
    if view.status == "void":
        title = line(("VOID", theme.ALARM), (f"  {void_reason(view)}", theme.DIM))
    elif won is not None and won < len(view.seats):
        name = name_of(view.seats[won]).upper()
        title = line((f"{name} WINS", _style(view, won) + Style(bold=True)))
    return frame(title, rows, width, len(rows) + 2)


def _seat(state: State, view: SessionView, reading: Reading, card: SeatCard, width: int) -> Text:
    """`0 Nova   to move 0:21`, or what the seat has won."""
    at = next((at for at, each in enumerate(view.seats) if each is card), 0)
    number = f"{card.seat} " if len(view.seats) == 2 else f"{seat_mark(card.seat)} "
    name = line((number, theme.DIM), (name_of(card), _style(view, card.seat) + Style(bold=True)))
    if at < len(reading.returns) and view.status != "void":
        value = max(-(10**9), min(10**9, reading.returns[at]))
        told = line((f"{value / 1000:+g}", theme.BRIGHT if value > 0 else theme.DIM))
        return spread(name, told, width)
    doing = deciding(state, card.seat, "to move")
    if not doing.cell_len and card.seat in reading.to_act and view.status == "live":
        doing = line(("to move", theme.DIM))
    return spread(name, doing, width)


def _told(
    state: State,
    spectated: Spectated,
    view: SessionView,
    reading: Reading,
    width: int,
    height: int,
) -> list[Text]:
    """The moves or the talk, the last in sight; without any, what happened."""
    if height < 3:
        return []
    inner = max(8, width - 4)
    if reading.sayings:
        title, rows = "MOVES", _moves(view, reading.sayings, inner)
        if any(" " in row or len(each.lines) > 1 for each in reading.sayings for row in each.lines):
            title, rows = "TALK", _talk(view, reading.sayings, inner)
    else:
        title, rows = "EVENTS", _events(spectated, inner)
    room = height - 2
    back = min(state.scroll, max(0, len(rows) - room))
    shown = rows[max(0, len(rows) - room - back) : len(rows) - back]
    return frame(line((title, theme.TITLE)), shown, width, height)


def _events(spectated: Spectated, width: int) -> list[Text]:
    return [
        line((piece, theme.ALARM if note.alarm else theme.DIM))
        for note in spectated.notes
        for piece in wrap(note.text, width)
    ]


def _moves(view: SessionView, sayings: Sequence[Saying], width: int) -> list[Text]:
    """Short moves after each other, each behind the mark of its seat."""
    rows: list[Text] = []
    row = Text(end="")
    for each in sayings:
        move = line(*_who(view, each), (each.lines[0], theme.PLAIN), "   ")
        if row.cell_len and row.cell_len + move.cell_len > width:
            rows.append(row)
            row = Text(end="")
        row = line(row, move)
    return [*rows, row]


def _who(view: SessionView, saying: Saying) -> tuple[Part, ...]:
    if saying.seat is None:
        return ((f"{saying.speaker}: ", theme.FAINT),) if saying.speaker else ()
    mark = str(saying.seat) if len(view.seats) == 2 else seat_mark(saying.seat)
    return ((f"{mark} ", _style(view, saying.seat)),)


def _talk(view: SessionView, sayings: Sequence[Saying], width: int) -> list[Text]:
    """Who said what; a long message is cut, since the boards in it stand at the side."""
    rows: list[Text] = []
    who = names(view)
    for each in sayings:
        name = each.speaker if each.seat is None else who.get(each.seat, "")
        accent = theme.FAINT if each.seat is None else _style(view, each.seat)
        words = theme.DIM if each.seat is None else theme.PLAIN
        told = [row for row in each.lines if row]
        pieces = [piece for row in told[:SHORT] for piece in wrap(row, max(8, width - 2))][:SHORT]
        if len(told) > SHORT:
            pieces = [f"{pieces[0]} …"]
        first, *rest = pieces or ["…"]
        lead = line((f"{name}: ", accent))
        if lead.cell_len + len(first) <= width:
            rows.append(line(lead, (first, words)))
        else:
            rows += [lead, line("  ", (first, words))]
        rows += [line("  ", (piece, words)) for piece in rest]
    return rows


class PlainPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_plain(state, width, height)
