"""The rounds that are over: all answers to the last one beside its solution, the earlier ones in short."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from server.protocol import SeatCard
from tui_client import theme
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import Part, fit, frame, line
from tui_client.widgets.logic.observed import SOLVED, Past
from tui_client.widgets.logic.puzzle import title_of
from tui_client.widgets.logic.seats import seconds
from tui_client.words import name_of, seat_mark

MANY = 40
"""Rows of the last round that are painted at most; its answers give way to what stands below them."""
ANSWER_CHARS = 400
NAMED = 52
"""Columns from which a row has the seat's name, not its letter alone."""
NAME = 11
TIME = 8


def sign(past: Past, seat: int) -> tuple[str, Style]:
    """Solved, wrong, or not answered: nothing in between earns points."""
    if past.answers[seat] is None:
        return "–", theme.FAINT  # noqa: RUF001 - an en dash: there is nothing to be right or wrong
    return ("✓", theme.MONEY) if past.scores[seat] >= SOLVED else ("✗", theme.ALARM)


def _answer_rows(past: Past, card: SeatCard, width: int, most: int) -> list[Text]:
    """A seat's answer in at most `most` rows, with its time at the end of the first."""
    seat = card.seat
    name = fit(line((name_of(card), theme.DIM)), NAME) if width >= NAMED else Text(end="")
    lead = line(sign(past, seat), " ", (f"{seat_mark(seat)} ", theme.PLAIN), name)
    tail = line((f"{seconds(past.times_ms[seat]):>{TIME}}", theme.DIM))
    room = max(4, width - lead.cell_len - tail.cell_len - 1)
    told = past.answers[seat]
    style = theme.BRIGHT if past.scores[seat] else theme.PLAIN
    if told is None:
        pieces, style = ["no answer"], theme.FAINT
    else:
        pieces = wrap(clean(told, ANSWER_CHARS), room)
    if len(pieces) > most:
        pieces = [*pieces[: most - 1], " ".join(pieces[most - 1 :])]
    first, *rest = [fit(line((piece, style)), room) for piece in pieces]
    indent = " " * lead.cell_len
    return [line(lead, first, " ", tail), *(line(indent, row) for row in rest)]


def _solution_rows(past: Past, width: int, most: int) -> list[Text]:
    label = "solution  "
    pieces = wrap(clean(past.solution, ANSWER_CHARS), max(4, width - len(label)))
    if len(pieces) > most:
        pieces = [*pieces[: most - 1], " ".join(pieces[most - 1 :])]
    parts: list[tuple[Part, Part]] = [
        ((label if at == 0 else " " * len(label), theme.DIM), (piece, theme.TITLE))
        for at, piece in enumerate(pieces)
    ]
    return [line(*each) for each in parts]


def _last(past: Past, cards: Sequence[SeatCard], width: int, most: int) -> list[Text]:
    rows = _solution_rows(past, width, most)
    return rows + [row for card in cards for row in _answer_rows(past, card, width, most)]


def _in_short(past: Past, cards: Sequence[SeatCard], width: int) -> Text:
    """`1 chain sum  ✓ ✗ ✓ ✓ ✗  42`: by seat, in the order of their letters."""
    marks = line(*(part for card in cards for part in (sign(past, card.seat), " ")))
    told = line((f"{past.round} ", theme.DIM), (title_of(past.generator), theme.DIM))
    answer = (clean(past.solution, 80), theme.DIM)
    named = fit(told, max(8, min(24, width - marks.cell_len - 8)))
    return line(named, " ", marks, " ", answer)


def paint_rounds(
    log: Sequence[Past],
    cards: Sequence[SeatCard],
    width: int,
    height: int,
    *,
    back: int = 0,
    fresh: bool = False,
) -> list[Text]:
    """The last round with all answers; where not all fits, first its words are cut and then the
    earlier rounds; `back` of the newer ones then make room for older ones. `fresh`: it was turned over
    a moment ago."""
    if not log:
        rows = [
            line((row, theme.FAINT))
            for row in wrap("answers and solution are turned over together", max(8, width - 4))
        ]
        return frame(line(("ANSWERS", theme.DIM)), rows, width, height)
    last, inner = log[-1], max(8, width - 4)
    letters = "".join(f"{seat_mark(card.seat)} " for card in cards)
    before = [_in_short(past, cards, inner) for past in reversed(log[:-1])]
    if before:
        named = max(8, min(24, inner - len(letters) - 8))
        before = [Text(), line((f"{'before':<{named}} {letters}", theme.FAINT)), *before]
    rows = []
    for most in (4, 3, 2, 1):
        rows = _last(last, cards, inner, most)
        if len(rows) + len(before) <= height - 2:
            break
    hidden = max(0, len(rows) + len(before) - max(0, height - 2))
    del before[2 : 2 + min(back, hidden)]
    solved = sum(score >= SOLVED for score in last.scores)
    title = line((f"ROUND {last.round}  ", theme.TITLE), (title_of(last.generator), theme.PLAIN))
    note = line((f"{solved} of {len(cards)} solved it", theme.BRIGHT if fresh else theme.DIM))
    style = theme.BRIGHT if fresh else theme.FRAME
    return frame(title, [*rows[:MANY], *before], width, height, note, style)
