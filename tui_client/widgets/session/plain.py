"""The view of a Space that has none of its own here: its headline, its seats, its public state."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.text import Text

from tui_client import theme
from tui_client.state import State
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import frame, line
from tui_client.widgets.pane import Pane

MAX_VALUE_CHARS = 400


def paint_plain(state: State, width: int, height: int) -> list[Text]:
    view = state.spectated.view if state.spectated else None
    if view is None:
        return []
    rows = [line((clean(view.headline, 120), theme.BRIGHT)), Text()]
    for name, value in view.state.items():
        shown = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        key = clean(str(name), 20)
        for at, row in enumerate(wrap(clean(shown, MAX_VALUE_CHARS), max(8, width - 26))):
            rows.append(line((f"{key if at == 0 else '':<20}  ", theme.DIM), row))
    notes = state.spectated.notes[-8:] if state.spectated else ()
    rows += [line((note.text, theme.ALARM if note.alarm else theme.FAINT)) for note in notes]
    return frame(line((clean(view.space, 40), theme.TITLE)), rows, width, height)


class PlainPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_plain(state, width, height)
