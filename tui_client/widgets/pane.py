"""The one kind of widget there is: a painter's lines, cut to the widget's size, drawn line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tui_client.state import State


class Pane(Widget, can_focus=False):
    """Shows what `paint` makes of the state; redraws only when that differs from what is shown.

    A pane whose height is `auto` is as high as its painting.
    """

    ANY_HEIGHT: ClassVar[int] = 10_000
    """Offered to the painter of a pane that chooses its own height."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._state = State()
        self._lines: Sequence[Text] = ()

    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        """At most `height` lines of at most `width` cells. Pure."""
        raise NotImplementedError

    def show(self, state: State) -> None:
        """Take a new state; a pane of a hidden view paints it when it is shown."""
        self._state = state
        if any(
            node.has_class("view") and not node.has_class("-shown")
            for node in self.ancestors_with_self
        ):
            return
        width, height = self.size
        if self.styles.is_auto_height:
            lines = self.paint(state, width, self.ANY_HEIGHT)
        else:
            lines = self.paint(state, width, height)
        if lines == self._lines:
            return
        shown, self._lines = self._lines, lines
        if len(lines) != len(shown):
            self.refresh(layout=self.styles.is_auto_height)
            return
        # Only the rows that differ: a clock or the dots of a thinker are one row of a high pane.
        pairs = enumerate(zip(shown, lines, strict=True))
        self.refresh(*(Region(0, y, width, 1) for y, (old, new) in pairs if old != new))

    def on_resize(self) -> None:
        self.show(self._state)

    def on_show(self) -> None:
        self.show(self._state)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.paint(self._state, width, self.ANY_HEIGHT))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        ground = self.rich_style
        if y >= len(self._lines):
            return Strip.blank(width, ground)
        segments = self._lines[y].render(self.app.console)
        drawn = Segment.apply_style(segments, ground)
        return Strip(drawn).adjust_cell_length(width, ground)
