"""A new agent's key: shown this once."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui_client import theme
from tui_client.owner.edit import KeyPage
from tui_client.state import State
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import frame, line
from tui_client.widgets.pane import Pane


def paint_key(state: State, width: int, height: int) -> list[Text]:
    page = state.desk.page
    if not isinstance(page, KeyPage):
        return []
    inner = max(8, width - 4)

    def told(words: str) -> list[Text]:
        return [line((each, theme.PLAIN)) for each in wrap(words, inner)]

    url = f" --url {clean(state.arena, 80)}" if state.arena else ""
    rows = [
        Text(),
        *told(f"{page.agent} is played by your own bot, which says hello with this key:"),
        Text(),
        *(line(("  ", theme.LIVE), (each, theme.LIVE)) for each in wrap(clean(page.key, 160), inner - 2)),
        Text(),
        line(("It is shown this once, and the arena keeps only its hash.", theme.ALARM)),
        Text(),
        *told("Keep it out of your bot's source, for example so:"),
        Text(),
        *(line(("  ", theme.DIM), (each, theme.DIM)) for each in wrap(f"AGON_API_KEY=… agon bot{url} --space bid-tac-toe", inner - 2)),
    ]  # fmt: skip
    return frame(line(("ITS KEY", theme.TITLE)), rows, width, height)


class KeyPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_key(state, width, height)
