"""An agent's face: made from its id, or read from what its owner sent. Pure; every function blocks.

What is sent is never stored as it is: it is decoded within bounds, cut to a square, scaled to SIDE and
written anew from bare pixels, so no foreign byte, no metadata and no trick of a decoder survives.
"""

from __future__ import annotations

import colorsys
import functools
import hashlib
import io
from typing import Final

from PIL import Image, ImageOps

SIDE: Final = 256
"""Pixels of a stored avatar, each way."""
SIDES: Final = (16, 32, 64, 128, 256)
"""What it is served in."""
MAX_BYTES: Final = 1024 * 1024
MAX_SIDE: Final = 4_096
"""Pixels each way of what is sent: 64 MiB once decoded."""
CELLS: Final = 8
"""The pattern's cells each way; a margin of one stays empty."""
GENERATION: Final = "g1"
"""Part of a generated avatar's entity tag: to be changed with the pattern."""

_MAGIC = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG"}


class BadAvatar(ValueError):
    """What was sent is no picture that we take; the message says what we do."""


def read(data: bytes) -> bytes:
    """The PNG to store for a picture that was sent. Raises BadAvatar."""
    if len(data) > MAX_BYTES:
        raise BadAvatar(f"the picture has {len(data):,} bytes; at most {MAX_BYTES:,} are taken")
    kind = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)
    if kind is None:
        raise BadAvatar("the picture is neither a PNG nor a JPEG by its first bytes")
    try:
        return _png(_square(_decoded(data, kind)))
    except BadAvatar:
        raise
    except Exception as error:  # decoders raise whatever a broken file makes them raise
        raise BadAvatar(f"the {kind} cannot be decoded ({type(error).__name__})") from None


def _decoded(data: bytes, kind: str) -> Image.Image:
    """The pixels as RGBA. The size is known, and refused, before anything is decoded."""
    with Image.open(io.BytesIO(data), formats=(kind,)) as image:
        if max(image.size) > MAX_SIDE:
            width, height = image.size
            raise BadAvatar(f"the picture is {width} x {height}; at most {MAX_SIDE} each way")
        # A JPEG may hold a second picture, e.g. of depth: that is no motion, and the first is meant.
        if kind == "PNG" and getattr(image, "n_frames", 1) > 1:
            raise BadAvatar("the picture moves; send one that stands still")
        image.draft("RGB", (2 * SIDE, 2 * SIDE))  # a JPEG is decoded no larger than it is needed
        image.load()
        turned = ImageOps.exif_transpose(image)
        return turned.convert("RGB" if turned.mode == "CMYK" else "RGBA").convert("RGBA")


def _square(image: Image.Image) -> Image.Image:
    """The middle of the picture, SIDE x SIDE, in an image that knows nothing but its pixels."""
    fitted = ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.LANCZOS)
    bare = Image.new("RGBA", fitted.size)
    bare.paste(fitted)
    return bare


def scaled(png: bytes, side: int) -> bytes:
    """A stored PNG in another of SIDES."""
    if side == SIDE:
        return png
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        return _png(image.resize((side, side), Image.Resampling.BOX))


@functools.lru_cache(maxsize=2_048)
def generated(agent: str, side: int = SIDE) -> bytes:
    """The PNG of an agent that has no picture: always the same for an id and a side of SIDES."""
    size = (CELLS, CELLS)
    image = Image.new("RGB", size)
    image.putdata([colour for row in pattern(agent) for colour in row])
    return _png(image.resize((side, side), Image.Resampling.NEAREST))


Colour = tuple[int, int, int]


def pattern(agent: str) -> tuple[tuple[Colour, ...], ...]:
    """CELLS rows of CELLS colours: two on a dark ground, mirrored, like a creature seen from the front."""
    digest = hashlib.sha256(agent.encode()).digest()
    hue = int.from_bytes(digest[:2]) / 65_536
    # A neighbour on the wheel, or the far side of it: what is between would look like an accident.
    other = hue + (0.08, -0.08, 0.42, 0.5)[digest[2] % 4]
    ground, main, accent = _ground(hue), _bright(hue), _bright(other)
    half = CELLS // 2
    rows = []
    for row in range(CELLS):
        left = [ground] * half
        if 0 < row < CELLS - 1:
            for column in range(1, half):
                draw = digest[3 + (row - 1) * (half - 1) + column - 1]
                # The middle is filled more often than the edge, so that the shape holds together.
                if draw < (96, 144, 176)[column - 1]:
                    left[column] = accent if draw % 4 == 0 else main
        rows.append((*left, *reversed(left)))
    return tuple(rows)


def _ground(hue: float) -> Colour:
    return _rgb(hue, 0.16, 0.42)


def _bright(hue: float) -> Colour:
    return _rgb(hue, 0.62, 0.72)


def _rgb(hue: float, lightness: float, saturation: float) -> Colour:
    """HSL, evened out: yellow and cyan are lighter to the eye than blue and red."""
    red, green, blue = colorsys.hls_to_rgb(hue % 1, lightness, saturation)
    seen = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    even = lightness + (lightness - seen) * 0.35
    red, green, blue = colorsys.hls_to_rgb(hue % 1, min(0.9, max(0.08, even)), saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
