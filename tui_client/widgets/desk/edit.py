"""Making and editing an agent: its form, or the prompt that the helper offers."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui_client import theme
from tui_client.owner.agent_form import EVERYWHERE
from tui_client.owner.answers import Improved
from tui_client.owner.diff import diff
from tui_client.owner.edit import EditPage, editor_width
from tui_client.state import State
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import frame, line
from tui_client.widgets.desk.fields import form_rows
from tui_client.widgets.pane import Pane
from tui_client.words import space_title

MAX_NOTES = 8


def paint_edit(state: State, width: int, height: int) -> list[Text]:
    page = state.desk.page
    if not isinstance(page, EditPage):
        return []
    if not page.form.fields:
        return frame(line(("AGENT", theme.TITLE)), [line(("…", theme.DIM))], width, height)
    if page.offered is not None:
        return _offered(page, page.offered, width, height)
    wish = form_rows(page.wishing, width - 4, 2, 0) if page.wishing.fields else []
    if wish:
        wish = [line(("THE HELPER  ", theme.TITLE), (_whose(page), theme.DIM)), *wish]
    room = max(1, height - 2 - len(wish))
    rows = form_rows(page.form, width - 4, room, editor_width(state.desk.columns))
    rows += [*[Text()] * (room - len(rows)), *wish]
    if not page.agent:
        note = line(("becomes version 1", theme.DIM))
    elif page.sheet.changed:
        note = line(("a change of what plays becomes a new version", theme.DIM))
    else:
        note = line(("nothing is changed", theme.FAINT))
    return frame(line(("AGENT", theme.TITLE)), rows, width, height, note)


def _whose(page: EditPage) -> str:
    """Of which Spaces the prompt in hand is."""
    return (
        "for all Spaces"
        if page.sheet.shown == EVERYWHERE
        else f"for {space_title(page.sheet.shown)}"
    )


def _offered(page: EditPage, told: Improved, width: int, height: int) -> list[Text]:
    """What goes, what comes, what stays; and what the helper says of it."""
    offered = told.prompt
    rows: list[Text] = []
    for change in diff(page.form["prompt"].text, offered):
        style = {"-": theme.FAINT, "+": theme.BRIGHT}.get(change.sign, theme.DIM)
        sign = theme.SEATS[1] if change.sign == "-" else theme.SEATS[0]
        for at, each in enumerate(wrap(clean(change.text), max(8, width - 6))):
            rows.append(line((f"{change.sign if at == 0 else ' '} ", sign), (each, style)))
    if told.notes:
        rows += [Text(), line(("WHY", theme.TITLE))]
    for note in told.notes[:MAX_NOTES]:
        rows += [line((each, theme.DIM)) for each in wrap(clean(note, 300), max(8, width - 4))]
    first = min(page.scroll, max(0, len(rows) - (height - 2)))
    limit = page.form["prompt"].limit
    size = f"{len(offered)}/{limit}" if limit else f"{len(offered)} characters"
    style = theme.ALARM if limit and len(offered) > limit else theme.DIM
    title = line(("THE HELPER'S PROMPT ", theme.TITLE), (_whose(page), theme.DIM))
    return frame(title, rows[first:], width, height, line((size, style)))


class EditPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_edit(state, width, height)
