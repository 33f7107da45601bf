"""The report's chart, drawn once: as SVG for the page and as PNG for a README. Rows of shares with their intervals."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape

import msgspec

from judges.bench.measures import Share

WIDTH = 860
ROW = 24
_LEFT, _RIGHT = 250, 120
_INK, _FAINT, _BAR, _MARK = "#20242c", "#8a919e", "#7aa2c8", "#20242c"
_PAPER, _RULE = "#ffffff", "#e3e6ea"


class Row(msgspec.Struct, frozen=True):
    """A share with its name; a heading where there is no share."""

    name: str
    share: Share | None = None


class _Box(msgspec.Struct, frozen=True):
    x: float
    y: float
    width: float
    height: float
    colour: str


class _Words(msgspec.Struct, frozen=True):
    x: float
    y: float
    text: str
    colour: str
    size: int = 13
    right: bool = False
    """Whether the text ends at x."""


_Stroke = _Box | _Words


def svg(title: str, rows: Sequence[Row]) -> str:
    strokes, height = _drawn(title, rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' font-family="system-ui, sans-serif" role="img">',
        f"<title>{escape(title)}</title>",
    ]
    for each in strokes:
        if isinstance(each, _Box):
            parts.append(
                f'<rect x="{each.x:.1f}" y="{each.y:.1f}" width="{each.width:.1f}" height="{each.height:.1f}"'
                f' fill="{each.colour}"/>'
            )
        else:
            end = ' text-anchor="end"' if each.right else ""
            parts.append(
                f'<text x="{each.x:.1f}" y="{each.y + each.size:.1f}" font-size="{each.size}" fill="{each.colour}"{end}>'
                f"{escape(each.text)}</text>"
            )
    return "".join((*parts, "</svg>"))


def png(title: str, rows: Sequence[Row], scale: int = 2) -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    strokes, height = _drawn(title, rows)
    image = Image.new("RGB", (WIDTH * scale, height * scale), _PAPER)
    draw = ImageDraw.Draw(image)
    for each in strokes:
        if isinstance(each, _Box):
            box = (each.x, each.y, each.x + each.width, each.y + each.height)
            draw.rectangle([value * scale for value in box], fill=each.colour)
        else:
            font = ImageFont.load_default(each.size * scale)
            anchor = "ra" if each.right else "la"
            place = (each.x * scale, each.y * scale)
            draw.text(place, each.text, fill=each.colour, font=font, anchor=anchor)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _drawn(title: str, rows: Sequence[Row]) -> tuple[list[_Stroke], int]:
    height = 70 + ROW * len(rows)
    span = WIDTH - _LEFT - _RIGHT
    strokes: list[_Stroke] = [
        _Box(0, 0, WIDTH, height, _PAPER),
        _Words(16, 12, title, _INK, 16),
    ]
    for tenth in (0, 25, 50, 75, 90, 100):
        x = _LEFT + span * tenth / 100
        strokes.append(_Box(x, 58, 1, height - 66, _MARK if tenth == 90 else _RULE))
        strokes.append(_Words(x + 12, 38, f"{tenth} %", _FAINT, 11, right=True))
    for at, row in enumerate(rows):
        y = 62 + ROW * at
        if row.share is None:
            strokes.append(_Words(16, y + 5, row.name, _INK, 13))
            continue
        strokes.append(_Words(_LEFT - 10, y + 4, row.name, _INK, 13, right=True))
        if not row.share.of:
            strokes.append(_Words(_LEFT + 6, y + 4, "none", _FAINT, 12))
            continue
        low, high = row.share.interval
        strokes.append(_Box(_LEFT, y + 5, max(1.0, span * row.share.value), 13, _BAR))
        strokes.append(_Box(_LEFT + span * low, y + 11, max(1.0, span * (high - low)), 1.5, _MARK))
        strokes.extend(_Box(_LEFT + span * end, y + 8, 1.5, 7.5, _MARK) for end in (low, high))
        said = f"{row.share.value:.0%}  ({row.share.count}/{row.share.of})"
        strokes.append(_Words(WIDTH - 14, y + 4, said, _INK, 12, right=True))
    return strokes, height
