"""A parent adapter comes from a stranger, too: it is looked at before PEFT reads it."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import msgspec
import pytest

from chain.content import unixfs
from chain.documents import form
from tests.training import adapter_files as files
from tests.training.proof import manifests
from training.adapters.package import pack
from training.model.base import Base
from training.proof.shown import Fetch, NotThere
from training.proof.verify import Asked, _parent
from training.serving.backend import WEIGHTS


def base(folder: Path) -> Base:
    folder.mkdir()
    sizes = files.DIMENSIONS
    told = {
        "model_type": "llama",
        "num_hidden_layers": sizes.layers,
        "hidden_size": sizes.hidden,
        "intermediate_size": sizes.intermediate,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.kv_heads,
    }
    (folder / "config.json").write_text(json.dumps(told))
    return Base("tiny", folder, files.BASE.sha256)


def out_of(contents: dict[str, bytes]) -> Fetch:
    return lambda cid, most: contents[cid][: most + 1]


def test_only_an_adapter_of_the_base_is_gone_on_from(tmp_path: Path) -> None:
    here = base(tmp_path / "base")
    packed = pack(files.write(tmp_path / "a"), files.ORIGIN, files.DIMENSIONS)
    good = files.tensors()
    first, *_ = good
    nan = (good[first][0], struct.pack("<f", float("nan")) + good[first][1][4:])
    turned = (good[first][0][::-1], good[first][1])
    for number, (weights, words) in enumerate(
        (
            (packed.contents[packed.card.weights], ""),
            (files.safetensors({**good, first: nan}), "numbers that are none"),
            (files.safetensors({**good, first: turned}), "make it"),
            (b"\x80\x04\x95pickle", "a header of"),
        )
    ):
        cid = str(unixfs.cid_of(weights))
        card = form.encode(msgspec.structs.replace(packed.card, weights=cid))
        contents = {cid: weights, str(unixfs.cid_of(card)): card}
        work = tmp_path / str(number)
        work.mkdir()
        asked = Asked(card=b"", fetch=out_of(contents), work=work)
        told = manifests.manifest(parent=str(unixfs.cid_of(card)))
        if not words:
            assert _parent(asked, told, here) == work / "parent"
            assert (work / "parent" / WEIGHTS).read_bytes() == weights
            continue
        with pytest.raises(NotThere, match=words):
            _parent(asked, told, here)
