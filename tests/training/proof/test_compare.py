"""What was told against what came of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from chain.verify.finding import Finding, Standing
from tests.training.proof import manifests
from training.documents.training import Step
from training.proof import compare
from training.proof.compare import Redone

START = manifests.hexed(100)
TRUE, FALSE, UNCHECKED = Standing.TRUE, Standing.FALSE, Standing.UNCHECKED


def standings(found: list[Finding]) -> dict[str, Standing]:
    return {each.what: each.standing for each in found}


def redone(**changes: object) -> Mapping[int, Step]:
    return {1: manifests.step(1), 2: manifests.step(2, **changes)}


def test_the_same_steps_are_the_same() -> None:
    found = compare.findings(
        manifests.manifest(), Redone(redone(), START, {2: manifests.CID}), weaker=""
    )
    assert standings(found) == dict.fromkeys(
        ("start", "batches", "losses", "updates", "states"), TRUE
    )


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"loss": 1_999_999}, "losses"),
        ({"batch": manifests.hexed(9)}, "batches"),
        ({"weights": manifests.hexed(9)}, "updates"),
    ],
)
def test_a_bit_that_differs_is_told_in_its_own_line(changes: dict[str, object], what: str) -> None:
    found = compare.findings(manifests.manifest(), Redone(redone(**changes), START), weaker="")
    wrong = [each for each in found if each.standing is FALSE]
    assert [each.what for each in wrong] == [what]
    assert "step 2" in wrong[0].words


def test_another_state_than_the_pinned_one_is_told() -> None:
    found = compare.findings(
        manifests.manifest(), Redone(redone(), START, {2: manifests.OTHER}), weaker=""
    )
    assert standings(found)["states"] is FALSE


def test_elsewhere_losses_may_differ_a_little_and_weights_are_not_compared() -> None:
    away = redone(loss=manifests.step(2).loss + 20_000, weights=manifests.hexed(9))
    found = compare.findings(
        manifests.manifest(), Redone(away, START, {2: manifests.OTHER}), "elsewhere"
    )
    assert standings(found) == {
        "start": TRUE,
        "batches": TRUE,
        "losses": TRUE,
        "updates": UNCHECKED,
    }
    assert "weaker" in found[2].words
    assert "elsewhere" in found[3].words


def test_elsewhere_batches_are_compared_and_far_losses_are_lies() -> None:
    far = redone(loss=manifests.step(2).loss + 70_000, batch=manifests.hexed(9))
    found = compare.findings(manifests.manifest(), Redone(far, START), "elsewhere")
    assert standings(found) == {
        "start": TRUE,
        "batches": FALSE,
        "losses": FALSE,
        "updates": UNCHECKED,
    }


def test_bits_are_asked_for_on_the_same_class_with_the_same_libraries_alone() -> None:
    told = manifests.manifest()
    assert compare.why_weaker(told, manifests.DEVICE, manifests.CODE) == ""
    assert compare.why_weaker(told, manifests.DEVICE, {"agon": "later", "torch": "2.13.0"}) == ""
    assert "gpu-x" in compare.why_weaker(told, "gpu-x", manifests.CODE)
    assert "torch 2.13.0, here is 2.14.0" in compare.why_weaker(
        told, manifests.DEVICE, {"torch": "2.14.0"}
    )
