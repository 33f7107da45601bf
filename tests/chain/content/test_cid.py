"""Content ids: one text for one id, and nothing else is read."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.content import cid, varint
from chain.content.cid import Cid, Codec, NotACid

digests = st.binary(min_size=32, max_size=32)
cids = st.one_of(
    st.builds(Cid, st.sampled_from(Codec), digests),
    st.builds(Cid, st.just(Codec.DAG_PB), digests, st.just(0)),
)
HELLO = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"


@given(cids)
def test_what_is_written_is_read(id_: Cid) -> None:
    assert cid.parse(str(id_)) == id_
    assert cid.from_binary(id_.binary) == id_
    assert len(str(id_)) <= cid.MAX_TEXT


@given(st.text(max_size=80))
def test_any_text_is_an_id_or_refused(text: str) -> None:
    try:
        found = cid.parse(text)
    except NotACid:
        return
    assert str(found) == text


@given(st.binary(max_size=80))
def test_any_bytes_are_an_id_or_refused(data: bytes) -> None:
    try:
        found = cid.from_binary(data)
    except NotACid:
        return
    assert found.binary == data


@given(cids, st.integers(0, 63), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567ABQm019"))
def test_a_changed_letter_is_another_id_or_none(id_: Cid, at: int, letter: str) -> None:
    text = str(id_)
    at %= len(text)
    changed = text[:at] + letter + text[at + 1 :]
    try:
        assert (cid.parse(changed) == id_) == (changed == text)
    except NotACid:
        assert changed != text


def test_the_id_of_bytes_is_their_sha256() -> None:
    id_ = cid.of(b"hello world")
    assert str(id_) == HELLO
    assert id_.digest == hashlib.sha256(b"hello world").digest()
    assert id_.is_of(b"hello world")
    assert not id_.is_of(b"hello world!")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "b",
        HELLO.upper(),
        HELLO + "a",
        HELLO[:-1],
        f" {HELLO}",
        f"{HELLO}\n",
        f"/ipfs/{HELLO}",
        HELLO[:-1] + "f",  # a bit that is no part of the id
        "Qm" + "z" * 44,  # more than 34 bytes
        "bafyreihykld7uyxzogax6vgyvag42y7464eywpf55gxi5qpoisibh3c5wa",  # dag-cbor
        "k2k4r8jl0yz8qjgqbmc2cdu5hkqek5rj6flgnlkyywynci20j0iuyfuj",
        "z" * 100_000,
    ],
)
def test_what_is_not_in_the_one_form_is_refused_in_short_words(text: str) -> None:
    with pytest.raises(NotACid) as refused:
        cid.parse(text)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "data",
    [
        b"\x81\x00\x55\x12\x20" + bytes(32),  # a version in two bytes
        b"\x01\x55\x11\x14" + bytes(20),  # SHA-1
        b"\x01\x55\x12\x10" + bytes(16),  # half a SHA-256
        b"\x02\x55\x12\x20" + bytes(32),
        b"\x00\x55\x12\x20" + bytes(32),
        b"\x01\x55\x12\x20" + bytes(31),
        b"\x01\x55\x12\x20" + bytes(33),
        b"\xff" * 40,
    ],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(NotACid):
        cid.from_binary(data)


@given(st.integers(0, 2**63 - 1), st.binary(max_size=4))
def test_varints(value: int, after: bytes) -> None:
    written = varint.encode(value)
    assert varint.decode(written + after) == (value, len(written))
    if len(written) > 1:
        with pytest.raises(varint.Incomplete):
            varint.decode(written[:-1])


@given(st.binary(max_size=12))
def test_a_varint_has_one_form(data: bytes) -> None:
    try:
        value, end = varint.decode(data)
    except varint.NotAVarint:
        return
    assert varint.encode(value) == data[:end]
