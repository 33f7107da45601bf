"""Writing on screen: the brief above, the texts, and the verdict under them once there is one."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget

from server.protocol import SessionView
from tui_client import theme
from tui_client.observed import WRITING
from tui_client.space_view import SpaceView
from tui_client.state import State
from tui_client.text import clean
from tui_client.widgets.canvas import line
from tui_client.widgets.pane import Pane
from tui_client.widgets.writing.brief import paint_brief
from tui_client.widgets.writing.observed import written
from tui_client.widgets.writing.texts import paint_texts
from tui_client.widgets.writing.verdict import paint_ranking

LOW = 34
"""Rows below which the verdict takes the place of the brief, whose points stand beside each name."""
TEXT_ROWS = 7
"""Rows that the texts keep."""


def paint_writing(state: State, width: int, height: int) -> list[Text]:
    view = state.spectated.view if state.spectated else None
    seen = written(view)
    if view is None or seen is None:
        return []
    judged = view.verdict is not None
    brief: list[Text] = []
    if not judged or height >= LOW:
        brief = paint_brief(seen, width, max(3, min(height // 3, height - TEXT_ROWS)))
    known = {point.says for point in seen.constraints}
    room = height - len(brief) - TEXT_ROWS
    verdict = paint_ranking(
        view,
        width,
        min(room, height * 3 // 5),
        known=known,
        front=state.front,
        arena_ms=state.arena_ms,
    )
    texts = paint_texts(state, view, seen, width, max(1, height - len(brief) - len(verdict)))
    return [*brief, *texts, *verdict][:height]


def _progress(view: SessionView) -> str:
    seen = written(view)
    assert seen is not None, "readable"
    given = sum(text.state != "writing" for text in seen.texts)
    return f"{given} of {len(seen.texts)} in" if view.status == "live" else ""


def _subject(view: SessionView) -> Text:
    seen = written(view)
    assert seen is not None, "readable"
    return line((f" {clean(seen.task, 200)}", theme.BRIGHT))


class WritingPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_writing(state, width, height)


def _panes() -> Widget:
    return Vertical(WritingPane(), id=WRITING, classes="view")


VIEW = SpaceView(WRITING, lambda view: written(view) is not None, _progress, _subject, _panes)
