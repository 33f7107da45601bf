"""A grid of single cells to draw on: columns in half cells, curves in dots, words of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from rich.style import Style
from rich.text import Span, Text

from tui_client import theme
from tui_client.widgets.chart.scale import HALVES, Scale

_BRAILLE = 0x2800
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bits of a braille cell by column and row."""
DOT_ROWS = 4
DOT_COLUMNS = 2

_NONE, _THIN, _THICK = range(3)
Glyphs = Mapping[tuple[int, int], str]
"""What is drawn where the upper and the lower half of a cell hold nothing, the thin or the thick part."""
LINE: Glyphs = {
    (_THIN, _THIN): "│", (_THIN, _NONE): "╵", (_NONE, _THIN): "╷",
    (_THICK, _THICK): "┃", (_THICK, _NONE): "╹", (_NONE, _THICK): "╻",
    (_THIN, _THICK): "╽", (_THICK, _THIN): "╿",
}  # fmt: skip
SOLID: Glyphs = {
    (_THIN, _THIN): "│", (_THIN, _NONE): "╵", (_NONE, _THIN): "╷",
    (_THICK, _THICK): "█", (_THICK, _NONE): "▀", (_NONE, _THICK): "▄",
    (_THIN, _THICK): "▄", (_THICK, _THIN): "▀",
}  # fmt: skip


class Column(NamedTuple):
    """A thin line from `low` to `high`, thick from `bottom` to `top`."""

    low: float
    bottom: float
    top: float
    high: float


class Plot:
    """A grid of `width` x `height` cells. What is drawn outside of it is left out.

    Only characters of one cell's width may be drawn; words from the wire belong elsewhere.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = max(0, width), max(0, height)
        blank = (" ", theme.PLAIN)
        self._cells = [[blank] * self.width for _ in range(self.height)]

    def put(self, x: int, y: int, character: str, style: Style) -> None:
        if 0 <= x < self.width and 0 <= y < self.height:
            self._cells[y][x] = (character, style)

    def write(self, x: int, y: int, words: str, style: Style) -> None:
        for at, character in enumerate(words):
            self.put(x + at, y, character, style)

    def blank(self, x: int, y: int) -> bool:
        return not (0 <= x < self.width and 0 <= y < self.height) or self._cells[y][x][0] == " "

    def rule(self, x: int, end: int, y: int, character: str, style: Style) -> None:
        """A line along a row from `x` up to `end`, behind what is there."""
        for at in range(max(0, x), min(end, self.width)):
            if self.blank(at, y):
                self.put(at, y, character, style)

    def column(self, x: int, column: Column, scale: Scale, style: Style, glyphs: Glyphs) -> None:
        """The thick part takes at least half a cell."""
        high, low = scale.half(column.high), scale.half(column.low)
        top, bottom = scale.half(column.top), scale.half(column.bottom)

        def part(half: int) -> int:
            if top <= half <= bottom:
                return _THICK
            return _THIN if high <= half <= low else _NONE

        for y in range(min(high, top) // HALVES, max(low, bottom) // HALVES + 1):
            parts = (part(y * HALVES), part(y * HALVES + 1))
            if parts in glyphs:
                self.put(x, y, glyphs[parts], style)

    def curve(self, width: int, values: Sequence[float], scale: Scale, style: Style) -> None:
        """A line of dots through values that are equally far apart, over the first `width` columns."""
        dots: dict[tuple[int, int], int] = {}
        across = max(1, width * DOT_COLUMNS - 1)
        last = max(1, len(values) - 1)
        points = [
            (at * across // last, scale.step(value, scale.rows * DOT_ROWS))
            for at, value in enumerate(values)
        ]
        for start, end in pairwise([*points, *points[-1:]]):
            for x, y in _between(start, end):
                cell = (x // DOT_COLUMNS, y // DOT_ROWS)
                dots[cell] = dots.get(cell, 0) | _DOTS[x % DOT_COLUMNS][y % DOT_ROWS]
        for (x, y), bits in dots.items():
            if x < width:
                self.put(x, y, chr(_BRAILLE + bits), style)

    def lines(self) -> list[Text]:
        return [_row(cells) for cells in self._cells]


def _row(cells: Sequence[tuple[str, Style]]) -> Text:
    """Blanks have no style of their own, so that a row has few spans."""
    spans, begun, style = [], 0, theme.PLAIN
    for at, (character, wanted) in enumerate(cells):
        if character == " " or wanted is style or wanted == style:
            continue
        spans.append(Span(begun, at, style))
        begun, style = at, wanted
    spans.append(Span(begun, len(cells), style))
    words = "".join(character for character, _ in cells)
    return Text(words, no_wrap=True, end="", spans=[span for span in spans if span])


def _between(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """The dots of a straight line, both ends included."""
    (x0, y0), (x1, y1) = start, end
    steps = max(abs(x1 - x0), abs(y1 - y0), 1)
    return [
        (x0 + round((x1 - x0) * at / steps), y0 + round((y1 - y0) * at / steps))
        for at in range(steps + 1)
    ]
