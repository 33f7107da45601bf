"""The puzzle as its agents read it: its end in sight, since what is asked of them stands there."""

from __future__ import annotations

from rich.text import Text

from tui_client import theme
from tui_client.text import block_lines, clean, wrap_block
from tui_client.widgets.canvas import frame, line
from tui_client.widgets.logic.observed import Logic, Past, Puzzle

WIDE = 52
"""Columns from which the edge has room for words."""


def title_of(generator: str) -> str:
    return clean(generator.replace("_", " "), 40)


def question_rows(question: str, width: int, room: int) -> list[str]:
    """The text, without its empty lines where it would not fit otherwise."""
    lines = block_lines(question)
    rows = wrap_block(lines, width)
    return rows if len(rows) <= room else wrap_block([each for each in lines if each], width)


def paint_puzzle(seen: Logic, scroll: int, width: int, height: int) -> list[Text]:
    """The open puzzle, or the last one when all are over; scrolled back by so many rows."""
    puzzle: Puzzle | Past | None = seen.puzzle or (seen.log[-1] if seen.log else None)
    if puzzle is None:
        return frame(line(("PUZZLE", theme.TITLE)), [], width, height)
    room = max(1, height - 2)
    rows = question_rows(puzzle.question, max(8, width - 4), room)
    back = min(scroll, max(0, len(rows) - room))
    first = max(0, len(rows) - room - back)
    style = theme.BRIGHT if seen.puzzle else theme.PLAIN
    shown = [line((row, style)) for row in rows[first : first + room]]
    hidden = f"↑ {first} more rows" if width >= WIDE else f"↑ {first}"
    note = line((hidden, theme.DIM)) if first else None
    title = line(
        (f"PUZZLE {puzzle.round}  ", theme.TITLE), (title_of(puzzle.generator), theme.PLAIN)
    )
    return frame(title, shown, width, height, note, theme.FAINT if seen.puzzle else theme.FRAME)
