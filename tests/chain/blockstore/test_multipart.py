"""Forms, however their pieces are cut, and what is no form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.blockstore.multipart import BadForm, FormReader, PartBegins, boundary_of

BOUNDARY = b"0123456789abcdef"
parts = st.lists(
    st.binary(max_size=100).map(lambda data: data.replace(BOUNDARY, b"")), min_size=1, max_size=4
)


def form(contents: list[bytes]) -> bytes:
    head = b'Content-Disposition: form-data; name="file"; filename="f%d"\r\nContent-Type: a/b\r\n'
    body = b"".join(
        b"--%s\r\n%s\r\n%s\r\n" % (BOUNDARY, head % n, data) for n, data in enumerate(contents)
    )
    return body + b"--%s--\r\n" % BOUNDARY


def read(body: bytes, size: int) -> list[tuple[str, str, bytes]]:
    reader = FormReader(BOUNDARY)
    found: list[tuple[str, str, bytes]] = []
    for at in range(0, len(body), size):
        for each in reader.feed(body[at : at + size]):
            if isinstance(each, PartBegins):
                found.append((each.name, each.media_type, b""))
            else:
                name, kind, held = found[-1]
                found[-1] = (name, kind, held + each)
    reader.close()
    return found


@given(parts, st.integers(1, 120))
def test_parts_are_read_however_the_pieces_are_cut(contents: list[bytes], size: int) -> None:
    assert read(form(contents), size) == [(f"f{n}", "a/b", data) for n, data in enumerate(contents)]


@given(st.binary(max_size=200), st.integers(1, 50))
def test_what_looks_like_a_boundary_is_content(tail: bytes, size: int) -> None:
    data = b"\r\n--" + BOUNDARY[:-1] + b"\r\n\r\n--" + tail.replace(BOUNDARY, b"")
    assert read(form([data]), size) == [("f0", "a/b", data)]


@given(parts, st.data())
def test_a_form_that_is_cut_off_is_none(contents: list[bytes], data: st.DataObject) -> None:
    body = form(contents)
    end = data.draw(st.integers(0, len(body) - 3))
    with pytest.raises(BadForm):
        read(body[:end], 50)


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense" * 10,
        b"--" + BOUNDARY + b"x",
        b"--" + BOUNDARY + b"\r\n" + b"X: " + b"y" * 10_000,
    ],
)
def test_nonsense_is_refused(body: bytes) -> None:
    with pytest.raises(BadForm):
        read(body, 1_000)


def test_a_part_without_headers() -> None:
    body = b"--%s\r\n\r\ndata\r\n--%s--" % (BOUNDARY, BOUNDARY)
    assert read(body, 7) == [("", "text/plain", b"data")]


@pytest.mark.parametrize(
    "header", ["", "text/plain", "multipart/form-data", "multipart/form-data; boundary=" + "x" * 80]
)
def test_a_boundary_must_be_said(header: str) -> None:
    with pytest.raises(BadForm):
        boundary_of(header)


def test_a_boundary() -> None:
    assert boundary_of('multipart/form-data; boundary="a b"') == b"a b"
