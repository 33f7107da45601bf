"""The bottom line: the keys that do something here."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui_client import theme
from tui_client.observed import reads_from_top
from tui_client.owner import desk as desks
from tui_client.proof import proof as proofs
from tui_client.state import State, at_desk
from tui_client.widgets.canvas import fit, line
from tui_client.widgets.pane import Pane


def keys(state: State) -> list[tuple[str, str]]:
    """What each key does now."""
    if at_desk(state):
        page_keys = desks.keys(state.desk, state.now_ms)
        typing = state.desk.typing
        helps, quits = ("f1", "ctrl+q") if typing else ("?", "q")
        return [*page_keys, (helps, "help"), (quits, "quit")]
    if state.proof is not None:
        again = [("r", "check again")] if proofs.again(state.proof) else []
        return [
            ("esc", "back"),
            ("1-9", "copy"),
            *again,
            ("↑↓", "scroll"),
            ("?", "help"),
            ("q", "quit"),
        ]
    follow = ("f", "stop following" if state.follow else "follow")
    if state.spectated is None and state.docket is not None:
        if state.docket.judge is not None:
            return [("esc", "back"), ("↑↓", "scroll"), ("?", "help"), ("q", "quit")]
        return [
            ("esc", "lobby"),
            ("↑↓", "choose"),
            ("enter", "open"),
            ("v", "proof"),
            ("?", "help"),
            ("q", "quit"),
        ]
    if state.spectated is None and state.tournament is not None:
        return [
            ("esc", "lobby"),
            ("↑↓", "choose"),
            ("enter", "watch"),
            ("v", "proof"),
            ("?", "help"),
            ("q", "quit"),
        ]
    if state.court is not None:
        return [("esc", "back"), ("v", "proof"), ("↑↓", "scroll"), ("?", "help"), ("q", "quit")]
    if state.spectated is not None:
        under = "tournament" if state.tournament is not None else "lobby"
        back = "back" if state.desk.open or state.docket is not None else under
        view = state.spectated.view
        court = [("c", "court")] if view is not None and view.court is not None else []
        seats = [("←→", "one seat")] if reads_from_top(state.spectated.view) else []
        return [
            ("esc", back),
            follow,
            *court,
            ("v", "proof"),
            ("↑↓", "scroll"),
            *seats,
            ("?", "help"),
            ("q", "quit"),
        ]
    return [
        ("↑↓", "choose"),
        ("enter", "watch"),
        ("a", "your agents"),
        ("c", "court"),
        follow,
        ("v", "proof"),
        ("tab", "next board"),
        ("?", "help"),
        ("q", "quit"),
    ]


def paint_footer(state: State, width: int) -> Text:
    (
        """The keys that fit. Help and quit, the last two, go last: help tells of all the others, and here of how many."""
        ""
    )
    *others, (helps, word), quits = keys(state)
    for kept in range(len(others), -1, -1):
        more = len(others) - kept
        row = _row([*others[:kept], (helps, f"+{more} more" if more else word), quits])
        if row.cell_len <= width:
            return fit(row, width)
    return fit(_row([(helps, word), quits]), width)


def _row(shown: Sequence[tuple[str, str]]) -> Text:
    parts = [line((f" {key} ", theme.KEY), (does, theme.DIM)) for key, does in shown]
    return Text("  ", end="").join(parts)


class Footer(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return [paint_footer(state, width)]
