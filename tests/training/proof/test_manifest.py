"""`agon-training/1` as it may come from anybody."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.content import cid
from chain.documents import form
from chain.documents.form import DocumentError
from spaces import canonical
from tests.training.proof import manifests
from training.documents.adapter import Base
from training.documents.training import Checkpoint
from training.proof import manifest
from training.recipes.config import TrainConfig

replace = msgspec.structs.replace


def test_a_manifest_reads_as_it_was_made() -> None:
    told = manifests.manifest()
    document = form.encode(told)
    assert manifest.read(document) == told
    assert manifest.config_of(told.config) == manifests.CONFIG
    assert manifest.cid_of(document) == str(cid.of(document))


@given(
    st.floats(min_value=1e-12, max_value=1, allow_nan=False),
    st.floats(min_value=0, max_value=0.99),
)
def test_rates_are_decimal_text_that_reads_as_the_same_number(rate: float, warmup: float) -> None:
    config = TrainConfig(learning_rate=rate, warmup=warmup)
    told = manifest.config_document(config)
    canonical.encode(told)  # no float is left
    assert manifest.config_of(told) == config


def test_a_field_that_came_later_has_its_default() -> None:
    told = manifest.config_document(TrainConfig(steps=7))
    del told["clip"]
    assert manifest.config_of(told) == TrainConfig(steps=7)


def changed(**changes: Any) -> dict[str, Any]:
    return manifest.config_document(manifests.CONFIG) | changes


WRONG = {
    "a step is missing": (replace(manifests.manifest(), steps=[manifests.step(1)]), "1 steps"),
    "a rate in another form": (
        replace(manifests.manifest(), config=changed(learning_rate="0.00020")),
        "shortest form",
    ),
    "a number as text": (replace(manifests.manifest(), config=changed(batch="2")), "shortest form"),
    "an unknown knob": (replace(manifests.manifest(), config=changed(more=1)), "config"),
    "a knob out of bounds": (replace(manifests.manifest(), config=changed(beta="1e9")), "config"),
    "no number": (replace(manifests.manifest(), config=changed(beta="nan")), "config"),
    "checkpoints out of order": (
        replace(
            manifests.manifest(),
            checkpoints=[Checkpoint(step=2, state=manifests.CID)] * 2,
        ),
        "checkpoint of step 2",
    ),
    "a checkpoint behind the end": (
        replace(manifests.manifest(), checkpoints=[Checkpoint(step=5, state=manifests.CID)]),
        "checkpoint of step 5",
    ),
    "a hash that is none": (replace(manifests.manifest(), start="00"), "start"),
    "no steps": (replace(manifests.manifest(), steps=[]), "steps"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_manifest_that_contradicts_itself_is_none(what: str) -> None:
    told, words = WRONG[what]
    with pytest.raises(DocumentError, match=words):
        manifest.read(form.encode(told))


def test_bytes_that_are_not_canonical_are_none() -> None:
    with pytest.raises(DocumentError, match="canonical"):
        manifest.read(form.encode(manifests.manifest()) + b" ")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"base": Base(name="tiny", sha256=manifests.hexed(8))}, "of the base"),
        ({"data": manifests.OTHER}, "of the data card"),
        ({"parent": manifests.CID}, "of the parent"),
        ({"rank": 4}, "of the rank"),
        ({"alpha": 4}, "of alpha"),
        ({"targets": ["k_proj"]}, "of the modules"),
    ],
)
def test_card_and_manifest_have_to_agree(changes: dict[str, Any], words: str) -> None:
    found = manifest.against_card(manifests.manifest(), manifests.card(**changes))
    assert found.startswith(words)
    assert bool(found) == bool(words)


def test_the_data_are_of_the_recipes_form_and_of_the_space() -> None:
    told = manifests.manifest()
    assert manifest.against_data(told, manifests.data_card(), "bid-tac-toe") == ""
    assert "learns from winners" in manifest.against_data(
        told, manifests.data_card("pairs"), "bid-tac-toe"
    )
    assert "is for logic" in manifest.against_data(told, manifests.data_card(), "logic")
