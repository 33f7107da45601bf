from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from server.agents import avatar
from server.agents.avatar import BadAvatar


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


def test_a_generated_face_is_the_ids_own_and_always_the_same() -> None:
    faces = {avatar.generated(f"agent-{n}") for n in range(200)}
    assert len(faces) == 200
    assert avatar.generated.__wrapped__("agent-1") in faces
    for side in avatar.SIDES:
        image = opened(avatar.generated("agent-1", side)).convert("RGB")
        assert image.size == (side, side)
        mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        assert image.tobytes() == mirrored.tobytes()
        assert image.getpixel((0, 0)) == avatar.pattern("agent-1")[0][0]


@given(st.text(max_size=64))
def test_every_face_shows_something_on_its_ground(agent: str) -> None:
    rows = avatar.pattern(agent)
    ground = rows[0][0]
    assert len(rows) == len(rows[0]) == avatar.CELLS
    assert all(0 <= part <= 255 for row in rows for colour in row for part in colour)
    assert {rows[0], rows[-1]} == {(ground,) * avatar.CELLS}, "the margin is empty"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
@pytest.mark.parametrize("size", [(256, 256), (1, 900), (640, 480), (3, 3)])
def test_any_png_becomes_the_square_that_is_stored(mode: str, size: tuple[int, int]) -> None:
    stored = opened(avatar.read(encoded(Image.new(mode, size))))
    assert (stored.size, stored.mode, stored.format) == ((256, 256), "RGBA", "PNG")


def test_a_jpeg_is_turned_as_its_camera_says_and_says_no_more() -> None:
    wide = Image.new("RGB", (400, 200), "red")
    wide.paste((0, 0, 255), (0, 0, 200, 200))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right
    exif[0x010F] = "SECRET-CAMERA"
    stored = avatar.read(encoded(wide, "JPEG", exif=exif, comment=b"SECRET", quality=95))
    assert b"SECRET" not in stored
    image = opened(stored)
    assert not image.info
    red, _, blue, _ = image.getpixel((128, 10))  # type: ignore[misc]
    assert blue > 200 > red, "left became top"
    assert opened(avatar.read(encoded(Image.new("CMYK", (9, 9)), "JPEG"))).mode == "RGBA"


def test_what_is_stored_has_no_byte_of_what_was_sent_but_pixels() -> None:
    image = Image.new("RGB", (64, 64), "teal")
    plain = avatar.read(encoded(image))
    tail = avatar.read(encoded(image) + b"<script>alert(1)</script>" * 10)
    assert tail == plain


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "neither a PNG nor a JPEG"),
        (b"GIF89a" + bytes(40), "neither a PNG nor a JPEG"),
        (b"<svg onload=alert(1)>", "neither a PNG nor a JPEG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "PNG cannot be decoded"),
        (b"\xff\xd8\xff" + bytes(40), "JPEG cannot be decoded"),
        (encoded(Image.new("RGB", (64, 64), "red"))[:-30], "PNG cannot be decoded"),
        (bytes(avatar.MAX_BYTES + 1), r"has 1,048,577 bytes; at most 1,048,576"),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(BadAvatar, match=words):
        avatar.read(data)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def claims(width: int, height: int) -> bytes:
    """A small PNG that says it is of this size."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(1_000_000)))
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(60_000, 60_000), (4_097, 1), (9_500, 9_500), (2**31 - 1, 1)])
def test_a_bomb_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(BadAvatar):
        avatar.read(claims(*size))


def test_a_picture_that_moves_is_refused() -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    moving = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(BadAvatar, match="moves"):
        avatar.read(moving)


def test_a_stored_face_is_served_in_any_side() -> None:
    stored = avatar.read(encoded(Image.new("RGB", (300, 300), "orange")))
    for side in avatar.SIDES:
        assert opened(avatar.scaled(stored, side)).size == (side, side)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_bent_picture_is_a_picture_or_refused(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG"]))
    good = bytearray(encoded(Image.radial_gradient("L").resize((40, 40)), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        stored = avatar.read(bytes(good))
    except BadAvatar:
        return
    assert opened(stored).size == (avatar.SIDE, avatar.SIDE)
