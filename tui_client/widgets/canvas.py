"""Brushes: small pure functions that make lines of styled text of an exact width.

Everything takes and returns `rich.text.Text` built from plain strings, never markup. Strings that
came over the wire must have passed `tui_client.text` before.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tui_client import theme

Part = tuple[str, Style] | str | Text

_EIGHTHS = " ▏▎▍▌▋▊▉"


def line(*parts: Part) -> Text:
    """Parts after each other; a bare string is plain grey."""
    text = Text(no_wrap=True, end="")
    for part in parts:
        if isinstance(part, Text):
            text.append_text(part)
        elif isinstance(part, str):
            text.append(part, theme.PLAIN)
        else:
            text.append(*part)
    return text


def fit(text: Text, width: int) -> Text:
    """Cut with an ellipsis, or padded with blanks, to exactly `width` cells."""
    if width <= 0:
        return Text(end="")
    fitted = text.copy()
    fitted.truncate(width, overflow="ellipsis", pad=True)
    return fitted


def spread(left: Text, right: Text, width: int) -> Text:
    """`left` and `right` at the two ends of a line; the left one gives way."""
    room = width - right.cell_len
    if room < 8:
        return fit(left, width)
    return line(fit(left, room), right)


def centre(text: Text, width: int) -> Text:
    """`text` in the middle of a line of `width` cells."""
    lead = max(0, (width - text.cell_len) // 2)
    return fit(line(" " * lead, text), width)


def abreast(*blocks: Sequence[Text]) -> list[Text]:
    """Blocks of lines beside each other. Every line of a block has that block's width; blocks that
    are lower than the highest end in blanks."""
    widths = [max((row.cell_len for row in block), default=0) for block in blocks]
    height = max(map(len, blocks), default=0)
    return [
        line(
            *(
                block[y] if y < len(block) else fit(Text(), width)
                for block, width in zip(blocks, widths, strict=True)
            )
        )
        for y in range(height)
    ]


def frame(
    title: Text,
    rows: Sequence[Text],
    width: int,
    height: int,
    note: Text | None = None,
    style: Style = theme.FRAME,
) -> list[Text]:
    """Rows in a thin box of exactly `width` x `height` cells, with a title and a note in its edge."""
    if width < 4 or height < 2:
        return [fit(row, width) for row in rows[: max(0, height)]]
    inner = width - 4
    body = [fit(row, inner) for row in rows[: height - 2]]
    body += [fit(Text(), inner)] * (height - 2 - len(body))
    edge = (("│ ", style), (" │", style))
    return [
        _edge(title, note, width, style),
        *(line(edge[0], row, edge[1]) for row in body),
        line(("╰" + "─" * (width - 2) + "╯", style)),
    ]


def _edge(title: Text, note: Text | None, width: int, style: Style) -> Text:
    """`╭─ title ───── note ─╮`; the note is left out where there is no room."""
    shown = title.copy()
    shown.truncate(max(0, width - 6), overflow="ellipsis")
    name: list[Part] = [" ", shown, " "] if shown.cell_len else []
    left = line(("╭─", style), *name)
    right = line(("╮", style))
    if note is not None and note.cell_len and left.cell_len + note.cell_len + 5 <= width:
        right = line(" ", note, (" ─╮", style))
    return line(left, ("─" * (width - left.cell_len - right.cell_len), style), right)


def bar(value: int, full: int, width: int, style: Style) -> Text:
    """A bar of `width` cells on its track, filled to `value / full` in eighths of a cell."""
    eighths = width * 8 * max(0, min(value, full)) // full if full > 0 else 0
    if value > 0:
        eighths = max(1, eighths)
    filled = "█" * (eighths // 8)
    if eighths % 8:
        filled += _EIGHTHS[eighths % 8]
    return line((filled, style + theme.TRACK), (" " * (width - len(filled)), theme.TRACK))


def rail(value: int, full: int, width: int, style: Style) -> Text:
    """A thin bar, filled to `value / full` in half cells: for many rows under each other."""
    halves = width * 2 * max(0, min(value, full)) // full if full > 0 else 0
    filled = "━" * (halves // 2) + ("╸" if halves % 2 else "")
    return line((filled, style), ("─" * (width - len(filled)), theme.FRAME))


def label(word: str, width: int) -> Text:
    """A quiet word in a column of its own."""
    return fit(line((word, theme.DIM)), width)
