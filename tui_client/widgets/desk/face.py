"""An agent's picture in half blocks: two pixels a cell."""

from __future__ import annotations

from rich.color import Color
from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.owner.pixels import Colour, Pixels, shrunk
from tui_client.widgets.canvas import line

HALF = "▀"


def face(pixels: Pixels | None, side: int) -> list[Text]:
    """`side` cells wide and half as high; a plain ground where there is no picture yet."""
    rows = shrunk(pixels, side).rows if pixels is not None else ()
    if not rows or len(rows) != side or any(len(row) != side for row in rows):
        return [line((" " * side, theme.TRACK)) for _ in range(side // 2)]
    return [
        line(*((HALF, _both(*pair)) for pair in zip(rows[y], rows[y + 1], strict=True)))
        for y in range(0, side - 1, 2)
    ]


def _both(upper: Colour, lower: Colour) -> Style:
    return Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower))
