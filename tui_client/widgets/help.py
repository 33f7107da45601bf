"""The help overlay: what the keys do and what the signs on the screens mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from tui_client import theme
from tui_client.state import State
from tui_client.text import wrap
from tui_client.widgets.canvas import frame, line
from tui_client.widgets.pane import Pane

_DESK_ROWS: tuple[tuple[str, str], ...] = (
    ("↑ ↓", "choose; in a form: the next field"),
    ("enter d", "watch what the agent plays; its dashboard"),
    ("n e x", "make an agent, edit it, archive it"),
    ("p o", "what it may play by itself; turn that on or off"),
    ("m", "money: f funds, t takes back, i deposits, w withdraws, l limits"),
    (
        "t",
        "training: o on, b budget, s start, x cancel, w watch, r roll back",
    ),
    ("s tab c", "in a dashboard: next Space, versions, compare"),
    ("← → space", "among a field's options; yes or no; which plot comes first"),
    ("ctrl+s", "save what is in a form; esc leaves it"),
    ("ctrl+g", "the helper writes or improves the prompt; you take it or not"),
    ("ctrl+o", "automation on or off, saved first"),
    ("v", "in a dashboard: the proof of the chosen session"),
    ("? f1", "this page; any key closes it"),
    ("q ctrl+q", "quit; your agents play on"),
    ("", ""),
    ("● ○ ✗", "its automation is on, off, stopped"),
    ("play", "play money: free, and worth nothing"),
    ("27.3 ±0.9", "a rating and how uncertain it is; (46-64): a 95 % interval"),
    ("◉ ↶ ○", "of versions: plays; rolled back; tested and not promoted"),
    ("", ""),
    ("", "A change of what plays makes a version with a rating of its own."),
    ("", "What is not answered is asked again, and happens once."),
)
_ROWS: tuple[tuple[str, str], ...] = (
    ("↑ ↓", "choose a session; in a session: scroll"),
    ("← →", "where many write: one text in front, or all"),
    ("enter", "watch the chosen session"),
    ("esc", "back to the lobby"),
    ("a", "your agents: make, edit, automate them"),
    ("f", "follow: the newest match first, then whatever else is on, in turn"),
    ("v", "the proof of a session, checked by this client: ✓ true, ✗ a lie, ? not checked"),
    ("c", "the court: in a session its panel, scores, reasons; else cases and judges"),
    ("tab", "the leaderboard of the next Space"),
    ("?", "this page; any key closes it"),
    ("q", "quit"),
    ("", ""),
    ("▮", "sealed: it is in, nobody sees it before all are"),
    ("A B C", "seats where many play; the first two places have the colours"),
    ("▲ ▼ ·", "long, short, flat; of candles, a solid one went down"),
    ("a b c", "beside a bar: the sounds that rhyme, a shade for each"),
    ("▌", "where a verse is being written now"),
    ("✓ … · ✗", "a step after the match: done, running, waiting, failed"),
    ("?", "before a name: provisional, too few matches for a rank"),
    ("31.2 ±1.1", "a rating and how uncertain it is"),
    ("", ""),
    ("", "The arena's clock counts; a lost connection resumes where it was."),
)


KEY_WIDTH = 11


def paint_help(width: int, height: int, owner: bool = False) -> list[Text]:
    """As high as it has to be, at most `height`; what a low screen cuts off is the signs, not the keys."""
    rows = [Text()]
    for key, does in _DESK_ROWS if owner else _ROWS:
        for at, piece in enumerate(wrap(does, max(8, width - 4 - KEY_WIDTH))):
            sign = key if at == 0 else ""
            rows.append(line((f"{sign:<{KEY_WIDTH}}", theme.KEY), (piece, theme.DIM)))
    if len(rows) + 2 > height:
        rows = [row for row in rows if row.plain.strip()]
    high = min(height, len(rows) + 2)
    note = line(("more on a higher screen", theme.DIM)) if len(rows) + 2 > height else None
    return frame(line(("HELP", theme.TITLE)), rows, width, high, note, theme.FAINT)


class HelpPane(Pane):
    def __init__(self, *, owner: bool) -> None:
        super().__init__()
        self._owner = owner

    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_help(width, min(height, self.app.size.height), self._owner)


class HelpScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, *, owner: bool = False) -> None:
        """`owner`: of the desk's keys, not of the spectator's."""
        super().__init__()
        self._owner = owner

    def compose(self) -> ComposeResult:
        yield HelpPane(owner=self._owner)

    def on_key(self, event: events.Key) -> None:
        event.stop()  # a key that closes the page does nothing else
        self.dismiss()
