"""A form as rows: labels in a column, what is filled in beside them, troubles in the alarm's colour. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.owner.draft import Draft, Row, row_of
from tui_client.owner.draft import rows as laid_out
from tui_client.owner.form import Field, Form, Kind
from tui_client.text import clean, glyph, glyphs
from tui_client.text import wrap as wrapped
from tui_client.widgets.canvas import Part, fit, line, spread

LABEL = 13
"""Cells of the labels' column."""
CURSOR_MARK = Style(reverse=True)
TEXT_LEAST = 3
"""Rows of a text of many lines."""


def form_rows(form: Form, width: int, height: int, text_width: int) -> list[Text]:
    """All fields; a text of many lines takes what the others leave. What does not fit is scrolled so that
    the field in hand is in sight. `text_width`: cells of a row of a text."""
    blocks = [_block(form, at, width) for at in range(len(form.fields))]
    taken = sum(len(block) for block in blocks)
    for at, field in enumerate(form.fields):
        if field.kind is Kind.TEXT:
            room = max(TEXT_LEAST, height - taken)
            blocks[at] += _text_rows(field, at == form.at, room, text_width)
    rows = [row for block in blocks for row in block]
    if len(rows) <= height:
        return rows
    start = sum(len(block) for block in blocks[: form.at])
    end = start + len(blocks[form.at])
    first = min(start, max(0, end - height))
    if end - start < height:  # some of what is before, and some of what is after
        first = max(0, min(len(rows) - height, start - (height - (end - start)) // 2))
    return rows[first : first + height]


def _block(form: Form, at: int, width: int) -> list[Text]:
    """A field's own line, or lines, and what is wrong with it."""
    field, mine = form.fields[at], at == form.at
    if field.kind is Kind.TEXT:
        found = [_head(field, mine, width)]
    elif field.kind is Kind.SOME:
        found = _options(field, mine, width)
    else:
        value = (
            _one(field, mine) if field.kind is Kind.ONE else _line(field, mine, width - LABEL - 2)
        )
        found = [_labelled(field, mine, value, width)]
    for told in (
        wrapped(clean(field.trouble, 240), max(8, width - LABEL - 4)) if field.trouble else ()
    ):
        found.append(fit(line(" " * (LABEL + 2), (told, theme.ALARM)), width))
    return found


def _label(field: Field, mine: bool) -> Text:
    pointer = ("▸ ", theme.BRIGHT) if mine else "  "
    return fit(line(pointer, (field.label, theme.BRIGHT if mine else theme.DIM)), LABEL + 2)


def _labelled(field: Field, mine: bool, value: Text, width: int) -> Text:
    room = width - LABEL - 2
    left = line(_label(field, mine), value)
    hint = _hint(field, mine)
    if hint.cell_len and value.cell_len + hint.cell_len + 2 <= room:
        return spread(left, hint, width)
    return fit(left, width)


def _hint(field: Field, mine: bool) -> Text:
    if field.limit and mine:
        return _count(field)
    return line((field.hint if mine else "", theme.FAINT))


def _count(field: Field) -> Text:
    """How much of the limit is used."""
    used = len(field.text)
    style = theme.ALARM if used > field.limit else theme.DIM
    return line((f"{used}/{field.limit}", style))


def _head(field: Field, mine: bool, width: int) -> Text:
    right = _count(field) if field.limit else line((f"{len(field.text)} characters", theme.FAINT))
    return spread(_label(field, mine), right, width)


def _one(field: Field, mine: bool) -> Text:
    chosen = next((each.label for each in field.options if each.value == field.value), "")
    if not mine:
        return line((chosen, theme.PLAIN))
    at = f"  {field.at + 1}/{len(field.options)}" if len(field.options) > 1 else ""
    return line(("◂ ", theme.FAINT), (chosen, theme.BRIGHT), (" ▸", theme.FAINT), (at, theme.FAINT))


def _options(field: Field, mine: bool, width: int) -> list[Text]:
    """Options beside each other, on as many lines as they need."""
    room = max(8, width - LABEL - 2)
    lines: list[list[Part]] = [[]]
    used = 0
    for at, option in enumerate(field.options):
        on = option.value in field.chosen
        here = mine and at == field.at
        mark = ("■ ", theme.BRIGHT) if on else ("□ ", theme.FAINT)
        name = theme.BRIGHT if on or here else theme.DIM
        word = line(
            mark, (option.label, name + (theme.CURSOR + Style(underline=True) if here else Style()))
        )
        if used and used + word.cell_len + 2 > room:
            lines.append([])
            used = 0
        lines[-1] += [word, "  "]
        used += word.cell_len + 2
    if field.nothing and not field.chosen:
        lines += [[(told, theme.DIM)] for told in wrapped(field.nothing, room)]
    head = line(_label(field, mine), *lines[0])
    return [fit(head, width), *(fit(line(" " * (LABEL + 2), *more), width) for more in lines[1:])]


def _line(field: Field, mine: bool, room: int) -> Text:
    """One line of text, scrolled so that the cursor is in sight."""
    draft = field.draft
    if not mine:
        return line((clean(draft.text) or "·", theme.PLAIN if draft.text else theme.FAINT))
    start = 0
    while start < draft.at and _cells(draft.text[start : draft.at]) >= max(1, room):
        start += 1
    return drawn(draft, Row(start, len(draft.text)), True)


def _text_rows(field: Field, mine: bool, room: int, width: int) -> list[Text]:
    """`room` rows of a text, the one with the cursor among them."""
    laid = laid_out(field.text, width)
    here = row_of(laid, field.draft.at)
    first = max(0, min(here - room // 2, len(laid) - room))
    shown = laid[first : first + room]
    bar = ("│ ", theme.PLAIN if mine else theme.FRAME)
    found = [
        line(bar, fit(drawn(field.draft, row, mine and first + n == here), width))
        for n, row in enumerate(shown)
    ]
    return found + [line(bar)] * (room - len(found))


def drawn(draft: Draft, row: Row, cursor: bool) -> Text:
    """A row of a text as it may be painted, with the cursor on it or not."""
    at = draft.at if cursor else -1
    before, after = draft.text[row.start : max(row.start, at)], ""
    if not cursor:
        return line((glyphs(draft.text[row.start : row.end]), theme.PLAIN))
    under = draft.text[at : at + 1] if at < row.end else ""
    after = draft.text[at + 1 : row.end]
    shown = glyph(under) if under and under != "\n" else " "
    return line(
        (glyphs(before), theme.BRIGHT), (shown or " ", CURSOR_MARK), (glyphs(after), theme.BRIGHT)
    )


def _cells(text: str) -> int:
    return cell_len(glyphs(text))


def facts(pairs: Sequence[tuple[str, Text]], width: int, label: int = 11) -> list[Text]:
    """Quiet words and what they are, one a row."""
    return [fit(line((f"{word:<{label}}", theme.DIM), told), width) for word, told in pairs]
