"""The top line: the arena's name, how much is going on, and how we are connected."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui_client import theme
from tui_client.state import Link, State
from tui_client.text import clean
from tui_client.widgets.canvas import line, spread
from tui_client.widgets.pane import Pane


def paint_header(state: State, width: int) -> Text:
    lobby = state.lobby
    queued = sum(queue.waiting for queue in lobby.queues) if lobby else 0
    left = line(
        (" AGON ", theme.TITLE),
        *_count("live", lobby.live_count or len(lobby.live) if lobby else 0),
        *_count("watching", lobby.watching if lobby else 0),
        *_count("queued", queued),
    )
    return spread(left, line(*_following(state), _link(state), " "), width)


def _count(word: str, number: int) -> tuple[Text, ...]:
    style = theme.LIVE if number else theme.DIM
    return (line((f"  {word} ", theme.DIM), (str(number), style)),)


def _following(state: State) -> tuple[Text, ...]:
    return (line(("▶ following", theme.BRIGHT), ("   ", theme.DIM)),) if state.follow else ()


def _link(state: State) -> Text:
    match state.link:
        case Link.LIVE:
            return line(("●", theme.MONEY), (" connected", theme.DIM))
        case Link.RECONNECTING:
            return line(("○ reconnecting…", theme.DIM))
        case Link.CONNECTING:
            return line(("○ connecting…", theme.DIM))
        case Link.CLOSED:
            return line((f"✗ closed: {clean(state.closed_because, 48)}", theme.ALARM))


class Header(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return [paint_header(state, width)]
