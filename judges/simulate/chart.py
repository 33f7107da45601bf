"""Line charts as SVG, without a library: a few series over one axis, legible in any browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 44, 52
COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5")

Points = Sequence[tuple[float, float]]


def chart(title: str, across: str, up: str, series: Mapping[str, Points]) -> str:
    """`series`: at least one point in all."""
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points]
    low_x, high_x = min(xs), max(xs)
    low_y, high_y = min(0.0, *ys), max(0.0, *ys)
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at(x: float, y: float) -> str:
        right = LEFT + (x - low_x) / ((high_x - low_x) or 1) * wide
        down = TOP + (high_y - y) / ((high_y - low_y) or 1) * tall
        return f"{right:.1f},{down:.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(LEFT, 24, title, size=14),
        _text(LEFT + wide / 2, HEIGHT - 12, across, anchor="middle"),
        f'<text transform="translate(16 {TOP + tall / 2}) rotate(-90)" text-anchor="middle">{escape(up)}</text>',
    ]
    for step in range(5):
        y = low_y + (high_y - low_y) * step / 4
        x = low_x + (high_x - low_x) * step / 4
        level = float(at(x, y).split(",")[1])
        parts.append(f'<path d="M{at(low_x, y)} L{at(high_x, y)}" stroke="#e5e5e5"/>')
        parts.append(_text(LEFT - 6, level + 4, f"{y:.3g}", anchor="end"))
        parts.append(
            _text(float(at(x, y).split(",")[0]), TOP + tall + 18, f"{x:.3g}", anchor="middle")
        )
    parts.append(f'<path d="M{at(low_x, 0)} L{at(high_x, 0)}" stroke="#888"/>')
    for index, (name, points) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        line = " ".join(at(x, y) for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{at(x, y).split(",")[0]}" cy="{at(x, y).split(",")[1]}" r="3" fill="{colour}"/>'
            for x, y in points
        ]
        down = TOP + 8 + 18 * index
        parts.append(
            f'<rect x="{WIDTH - RIGHT + 12}" y="{down - 4}" width="14" height="3" fill="{colour}"/>'
        )
        parts.append(_text(WIDTH - RIGHT + 32, down + 2, name))
    return "\n".join([*parts, "</svg>", ""])


def _text(x: float, y: float, words: str, anchor: str = "start", size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'
