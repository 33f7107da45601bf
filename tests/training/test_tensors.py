"""Tensors as canonical bytes: one way to write them, nothing hidden in what is read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import tensors
from training.tensors import NotTensors, Tensor


def floats(name: str, count: int, byte: int = 0) -> Tensor:
    return Tensor(name=name, dtype="F32", shape=(count,), data=bytes([byte]) * 4 * count)


def file_of(header: object, body: bytes) -> bytes:
    head = json.dumps(header).encode()
    return len(head).to_bytes(8, "little") + head + body


def entry(begin: int, end: int, *, dtype: str = "U8", shape: object = None) -> dict[str, object]:
    wanted = [end - begin] if shape is None else shape
    return {"dtype": dtype, "shape": wanted, "data_offsets": [begin, end]}


some = st.lists(
    st.tuples(st.text("abc.", min_size=1, max_size=8), st.binary(max_size=12)),
    unique_by=lambda each: each[0],
    max_size=5,
).map(lambda many: [Tensor(name=n, dtype="U8", shape=(len(b),), data=b) for n, b in many])


@given(some, st.randoms())
def test_the_order_of_tensors_changes_neither_file_nor_digest(
    many: list[Tensor], rng: random.Random
) -> None:
    shuffled = list(many)
    rng.shuffle(shuffled)
    assert tensors.write(shuffled, {"k": "v"}) == tensors.write(many, {"k": "v"})
    assert tensors.digest(shuffled, "d") == tensors.digest(many, "d")


@given(some)
def test_what_is_written_reads_the_same(many: list[Tensor]) -> None:
    found, told = tensors.read(tensors.write(many, {"step": "3"}))
    assert told == {"step": "3"}
    assert {each.name: bytes(each.data) for each in found} == {e.name: e.data for e in many}
    assert tensors.digest(found, "d") == tensors.digest(many, "d")


def test_the_digest_is_that_of_the_page() -> None:
    """docs/proofs.md, "Digests of tensors": a stranger's twelve lines come to the same."""
    header = b'[["a","F32",[2]],["b","U8",[1]]]'
    told = b"agon-weights/1\0" + len(header).to_bytes(8, "little") + header + b"\1" * 8 + b"\7"
    b = Tensor(name="b", dtype="U8", shape=(1,), data=b"\7")
    assert (
        tensors.digest([b, floats("a", 2, 1)], "agon-weights/1") == hashlib.sha256(told).hexdigest()
    )


@pytest.mark.parametrize(
    "change",
    [
        floats("b", 2, 1),
        Tensor(name="a", dtype="I32", shape=(2,), data=b"\1" * 8),
        Tensor(name="a", dtype="F32", shape=(1, 2), data=b"\1" * 8),
        floats("a", 2, 2),
    ],
)
def test_name_type_shape_and_bytes_are_in_the_digest(change: Tensor) -> None:
    assert tensors.digest([change], "d") != tensors.digest([floats("a", 2, 1)], "d")


def test_a_batch_is_never_taken_for_weights() -> None:
    assert tensors.digest([floats("a", 1)], "agon-batch/1") != tensors.digest(
        [floats("a", 1)], "agon-weights/1"
    )


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"", "a header of 0 bytes"),
        ((1 << 40).to_bytes(8, "little") + b"{}", "a header of"),
        (file_of([], b""), "not that of a safetensors"),
        (file_of({"a": {"dtype": "U8", "shape": [1]}}, b"1"), "not that of a safetensors"),
        (file_of({"a": entry(0, 1) | {"more": 1}}, b"1"), "not that of a safetensors"),
        (file_of({"a": entry(0, 2)}, b"1"), "its bytes are not those of its shape"),
        (file_of({"a": entry(0, 1, shape=[2])}, b"1"), "its bytes are not those of its shape"),
        (file_of({"a": entry(0, 1, dtype="X9")}, b"1"), "unknown type 'X9'"),
        (file_of({"a": entry(0, 1, shape=[-1, -1])}, b"1"), "out of bounds"),
        (file_of({"a": entry(0, 1, shape=[1] * 9)}, b"1"), "out of bounds"),
        (file_of({"a\n": entry(0, 1)}, b"1"), "out of bounds"),
        (file_of({"a": entry(1, 2)}, b"12"), "a gap or an overlap at byte 0"),
        (file_of({"a": entry(0, 2), "b": entry(1, 2)}, b"12"), "a gap or an overlap at byte 2"),
        (file_of({"a": entry(0, 1)}, b"12"), "1 bytes behind the last tensor"),
    ],
)
def test_a_file_that_hides_or_lacks_something_is_refused(file: bytes, words: str) -> None:
    with pytest.raises(NotTensors, match=words):
        tensors.read(file)


@given(st.binary(max_size=80))
def test_no_bytes_do_more_than_be_refused(junk: bytes) -> None:
    with contextlib.suppress(NotTensors):
        tensors.read(junk)
