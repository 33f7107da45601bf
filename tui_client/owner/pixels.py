"""A small picture as colours, read from a PNG that came over the wire."""

from __future__ import annotations

import io

import msgspec
from PIL import Image

MAX_SIDE = 64
MAX_PNG_BYTES = 64 * 1024

Colour = tuple[int, int, int]


class Pixels(msgspec.Struct, frozen=True):
    """Rows of colours, from the top; all of them as long as the first."""

    rows: tuple[tuple[Colour, ...], ...]


def read_png(data: bytes) -> Pixels | None:
    """The picture; None for what is no PNG, or a larger one than is asked for.

    What is transparent is black. The size is looked at before a pixel is decoded.
    """
    if len(data) > MAX_PNG_BYTES:
        return None
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            width, height = image.size
            if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
                return None
            flat = image.convert("RGBA")
            ground = Image.new("RGBA", flat.size, (0, 0, 0, 255))
            rgb = Image.alpha_composite(ground, flat).convert("RGB").tobytes()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    line = [(rgb[at], rgb[at + 1], rgb[at + 2]) for at in range(0, len(rgb), 3)]
    return Pixels(tuple(tuple(line[y * width : (y + 1) * width]) for y in range(height)))


def shrunk(pixels: Pixels, side: int) -> Pixels:
    """The picture in `side` x `side`, each pixel the mean of those it stands for."""
    high = len(pixels.rows)
    wide = len(pixels.rows[0]) if high else 0
    if not high or not wide or side >= high or side >= wide:
        return pixels
    return Pixels(
        tuple(
            tuple(
                _mean(pixels, (x * wide // side, (x + 1) * wide // side),
                      (y * high // side, (y + 1) * high // side))
                for x in range(side)
            )
            for y in range(side)
        )
    )  # fmt: skip


def _mean(pixels: Pixels, across: tuple[int, int], down: tuple[int, int]) -> Colour:
    found = [pixels.rows[y][x] for y in range(*down) for x in range(*across)]
    red, green, blue = (sum(each[part] for each in found) // len(found) for part in range(3))
    return red, green, blue
