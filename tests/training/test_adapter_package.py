"""Adapters as content: what goes in comes out, and nothing else is let in."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.content import cid
from chain.documents import form
from tests.training import adapter_files as files
from training.adapters import names, shapes, weights
from training.adapters.package import BadAdapter, check, pack, read_card, read_config, unpack
from training.serving.backend import CONFIG, GGUF, WEIGHTS
from training.tensors import NotTensors


def test_an_adapter_is_the_same_after_its_way_through_a_content_store(tmp_path: Path) -> None:
    folder = files.write(tmp_path / "trained")
    (folder / "README.md").write_text("left out")
    packed = pack(folder, files.ORIGIN, files.DIMENSIONS)
    card = read_card(packed.document)
    assert card == packed.card
    unpack(card, packed.contents, tmp_path / "got", files.BASE, files.DIMENSIONS)
    got = {each.name: each.read_bytes() for each in (tmp_path / "got").iterdir()}
    assert got.keys() == {each.name for each in folder.iterdir()} - {"README.md"}
    assert all(got[name] == (folder / name).read_bytes() for name in got)
    again = pack(tmp_path / "got", files.ORIGIN, files.DIMENSIONS)
    assert again.cid == packed.cid, "the card is a function of the adapter and its origin"


def test_another_base_is_refused(tmp_path: Path) -> None:
    packed = pack(files.write(tmp_path / "a"), files.ORIGIN, files.DIMENSIONS)
    other = msgspec.structs.replace(files.BASE, sha256="cd" * 32)
    with pytest.raises(BadAdapter, match="an adapter of tiny abab"):
        unpack(packed.card, packed.contents, tmp_path / "b", other, files.DIMENSIONS)
    assert not (tmp_path / "b").exists()


def test_content_that_is_not_what_its_id_says_is_refused(tmp_path: Path) -> None:
    packed = pack(files.write(tmp_path / "a"), files.ORIGIN, files.DIMENSIONS)
    other = files.safetensors(files.tensors(seed=1))
    contents = {**packed.contents, packed.card.weights: other}
    with pytest.raises(BadAdapter, match="are others"):
        unpack(packed.card, contents, tmp_path / "b", files.BASE, files.DIMENSIONS)
    with pytest.raises(BadAdapter, match="is missing"):
        unpack(packed.card, {}, tmp_path / "b", files.BASE, files.DIMENSIONS)


def test_a_card_that_lies_about_its_size_or_shape_is_refused(tmp_path: Path) -> None:
    packed = pack(files.write(tmp_path / "a"), files.ORIGIN, files.DIMENSIONS)
    for changes, reason in (({"bytes": 5}, "its card says 5"), ({"rank": 3}, "rank 3 make it")):
        card = msgspec.structs.replace(packed.card, **changes)
        with pytest.raises(BadAdapter, match=reason):
            unpack(card, packed.contents, tmp_path / "b", files.BASE, files.DIMENSIONS)
    unsorted = msgspec.structs.replace(packed.card, targets=["q_proj", "k_proj"])
    with pytest.raises(BadAdapter, match="alphabetical"):
        read_card(form.encode(unsorted))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("use_dora", True),
        ("use_rslora", True),
        ("modules_to_save", ["lm_head"]),
        ("bias", "all"),
        ("rank_pattern", {"q_proj": 4}),
        ("auto_mapping", {"parent_library": "evil"}),
        ("an_option_of_next_year", 1),
        ("peft_type", "IA3"),
    ],
)
def test_an_option_that_would_make_another_thing_of_the_tensors_is_refused(
    tmp_path: Path, option: str, value: Any
) -> None:
    folder = files.write(tmp_path / "a")
    told = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**told, option: value}))
    with pytest.raises(BadAdapter, match=option):
        read_config(folder / CONFIG)


def test_only_the_tensors_of_such_an_update_are_taken() -> None:
    good = files.tensors()
    first, *_ = good
    check(files.safetensors(good), files.SHAPE, files.DIMENSIONS)
    foreign = {**good, "base_model.model.lm_head.weight": ((1, 1), bytes(4))}
    beyond = {**good, first.replace("layers.0", "layers.2"): good[first]}
    missing = {name: each for name, each in good.items() if name != first}
    turned = {**good, first: (good[first][0][::-1], good[first][1])}
    broken = {**good, first: (good[first][0], struct.pack("<f", float("nan")) + good[first][1][4:])}
    for changed, reason in (
        (foreign, "lm_head"),
        (beyond, "layers.2"),
        (missing, "is missing"),
        (turned, "make it"),
        (broken, "numbers that are none"),
    ):
        with pytest.raises(BadAdapter, match=reason):
            check(files.safetensors(changed), files.SHAPE, files.DIMENSIONS)


def test_a_file_that_is_no_safetensors_is_refused() -> None:
    good = files.safetensors(files.tensors())
    pickle = b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94."
    int8: dict[str, tuple[tuple[int, ...], bytes]] = {"x": ((4,), bytes(4))}
    for data in (b"", pickle, good[:-1], good + b"\0", bytes(8) + good, files.safetensors({})):
        with pytest.raises(NotTensors):
            weights.read(data)
    with pytest.raises(NotTensors, match="x is of I8"):
        weights.read(files.safetensors(int8, "I8"))


@given(st.data())
def test_no_change_of_a_header_reads_bytes_that_are_not_there(data: st.DataObject) -> None:
    good = bytearray(files.safetensors(files.tensors()))
    length = 8 + int.from_bytes(good[:8], "little")
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, length - 1))] = data.draw(st.integers(0, 255))
    try:
        found = weights.read(bytes(good))
    except NotTensors:
        return
    begin = 8 + int.from_bytes(good[:8], "little")
    assert sum(len(each.data) for each in found.values()) == len(good) - begin


def test_numbers_of_sixteen_bits_are_looked_at_too() -> None:
    for dtype, bad in (("F16", 0x7C00), ("BF16", 0x7F80)):
        for number, good in ((0x3C00, True), (bad, False), (bad | 1 | 0x8000, False)):
            data = files.safetensors({"x": ((1,), struct.pack("<H", number))}, dtype)
            assert weights.finite(weights.read(data)["x"]) is good


def test_a_part_has_one_name_in_each_form() -> None:
    for part in shapes.parts(files.DIMENSIONS, shapes.GGUF_NAMES):
        assert shapes.part(part.peft) == part
    assert shapes.part("base_model.model.model.layers.0.mlp.q_proj.lora_A.weight") is None
    assert shapes.part("base_model.model.model.layers.00.self_attn.q_proj.lora_A.weight") is None


def test_a_name_is_of_one_content() -> None:
    card, other = cid.of(b"card"), cid.of(b"another")
    name = names.served_name("01AGENT", 7, card)
    assert name == f"01AGENT@v7-{card.digest.hex()[:8]}"
    assert name == names.of_version("01AGENT@v7", card) == str(names.parse(name))
    assert name != names.served_name("01AGENT", 7, other)
    for wrong in ("01AGENT@v7", "01AGENT@v0-12345678", "a b@v1-12345678", name + "\n", ""):
        with pytest.raises(names.NotAName):
            names.parse(wrong)


def test_weights_are_named_apart_from_their_configuration(tmp_path: Path) -> None:
    folder = files.write(tmp_path / "a")
    (folder / GGUF).unlink()
    packed = pack(folder, files.ORIGIN, files.DIMENSIONS)
    assert packed.card.gguf is None
    assert packed.card.weights == str(cid.of((folder / WEIGHTS).read_bytes()))
    assert packed.bytes == len(packed.document) + sum(map(len, packed.contents.values()))
