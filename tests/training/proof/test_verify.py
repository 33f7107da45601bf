"""A training is verified by whoever has what was kept of it: lies that only steps made again give away, each told by its own line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain.verify.finding import Standing
from tests.training.proof import world
from tests.training.proof.kept import Kept, lies
from tests.training.proof.world import Made
from tests.training.sessions import bidding
from training import tensors
from training.documents.adapter import Base
from training.documents.training import Checkpoint
from training.model.base import MissingModel
from training.proof import state, verify

pytestmark = pytest.mark.slow
replace = msgspec.structs.replace
ZEROS = "0" * 64
OTHER = Base(name="tiny", sha256="1" * 64)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return world.make(tmp_path_factory.mktemp("training"))


def test_what_was_trained_as_it_says_is_true(made: Made, tmp_path: Path) -> None:
    found = made.verified(made.kept, tmp_path)
    assert {each.standing for each in found} == {Standing.TRUE}, found
    lines = "content id, adapter, training, data, weights, sessions, held out, base, examples"
    lines += ", gguf, start, batches, losses, updates, states"
    assert set(lines.split(", ")) <= {each.what for each in found}


def test_steps_are_made_again_from_a_pinned_state_or_from_the_one_before(
    made: Made, tmp_path: Path
) -> None:
    kept = made.kept
    found = made.verified(kept, tmp_path / "a", "5")
    words = {each.what: each.words for each in found}
    assert lies(found) == {}
    assert words["updates"].startswith("of steps 5:")
    assert words["pinned states"].startswith("after step 4:")
    told = kept.without(kept.manifest.checkpoints[1].state)
    found = made.verified(told, tmp_path / "b", "5")
    assert set(lies(found)) == {"pinned states"}
    assert {e.what: e.words for e in found}["updates"].startswith("of steps 3-5:")


def step(kept: Kept, number: int, **changes: Any) -> Kept:
    steps = kept.manifest.steps
    steps[number - 1] = replace(steps[number - 1], **changes)
    return kept.with_manifest(steps=steps)


def config(kept: Kept, **changes: Any) -> Kept:
    return kept.with_manifest(config=kept.manifest.config | changes)


def another_session(kept: Kept) -> Kept:
    """One data CID is that of another session, which is there."""
    told = kept.with_card()
    other = told.put(bidding(50))
    return told.with_data(sessions=sorted([*kept.data.sessions[1:], other]))


def optimiser(kept: Kept) -> Kept:
    """A state whose adapter is right, and whose optimiser is not: steps made from it would be anything."""
    told = kept.with_card()
    pinned = kept.manifest.checkpoints
    found, metadata = tensors.read(kept.contents[pinned[0].state])
    changed = [
        replace(each, data=b"\1" * len(each.data)) if "exp_avg." in f"{each.name}." else each
        for each in found
    ]
    document = tensors.write(changed, metadata)
    assert document != kept.contents[pinned[0].state], "an optimiser has averages"
    assert state.adapter_digest(document) == kept.manifest.steps[1].weights
    first = Checkpoint(step=2, state=told.put(document))
    return told.with_manifest(checkpoints=[first, *pinned[1:]])


def unreadable(kept: Kept) -> Kept:
    """A state whose adapter is right, and whose optimiser is none."""
    return with_state(kept, {"optimizer": '["dict",[]]'})


def of_another_type(kept: Kept) -> Kept:
    """A state whose random numbers are of a type that torch has and no training uses."""
    return with_state(kept, {}, dtype="F8_E4M3")


def with_state(kept: Kept, told: dict[str, str], dtype: str = "U8") -> Kept:
    pinned = kept.manifest.checkpoints
    found, metadata = tensors.read(kept.contents[pinned[0].state])
    changed = [replace(each, dtype=dtype) if each.dtype == "U8" else each for each in found]
    other = kept.with_card()
    first = Checkpoint(step=2, state=other.put(tensors.write(changed, metadata | told)))
    return other.with_manifest(checkpoints=[first, *pinned[1:]])


@pytest.mark.parametrize(
    ("lie", "line"),
    [
        (unreadable, (Standing.UNCHECKED, "the trainer fails on them (KeyError)")),
        (of_another_type, (Standing.FALSE, "cannot be made again: random.cpu is of F8_E4M3")),
    ],
)
def test_a_state_from_a_stranger_ends_in_a_line_and_not_in_a_trace(
    made: Made, tmp_path: Path, lie: Callable[[Kept], Kept], line: tuple[Standing, str]
) -> None:
    found = {each.what: each for each in made.verified(lie(made.kept), tmp_path, "3")}["steps"]
    assert found.standing is line[0]
    assert found.words.startswith(line[1])


LIES: dict[str, tuple[Callable[[Kept], Kept], set[str]]] = {
    "a data CID": (another_session, {"examples"}),
    "a count": (
        lambda kept: kept.with_data(counts=kept.data.counts | {"won": 1}),
        {"examples"},
    ),
    "the base's hash": (
        lambda kept: kept.with_manifest(base=OTHER).with_card(base=OTHER),
        {"base"},
    ),
    "a step's loss, batch and weights": (
        lambda kept: step(step(step(kept, 1, loss=1), 2, batch=ZEROS), 1, weights=ZEROS),
        {"losses", "batches", "updates"},
    ),
    "what is served": (
        lambda kept: kept.with_card(gguf=kept.card.weights),
        {"gguf"},
    ),
    "the start": (lambda kept: kept.with_manifest(start=ZEROS), {"start"}),
    "the seed": (
        lambda kept: config(kept, seed=1),
        {"start", "batches", "losses", "updates", "states"},
    ),
    "the rate": (
        lambda kept: config(kept, learning_rate="0.004"),
        {"losses", "updates", "states"},
    ),
    "a state's optimiser": (optimiser, {"states"}),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_is_told_by_its_own_line(made: Made, tmp_path: Path, lie: str) -> None:
    tell, lines = LIES[lie]
    found = made.verified(tell(made.kept), tmp_path, steps="1-2")
    assert set(lies(found)) == lines, lies(found)


def test_elsewhere_losses_are_compared_and_it_says_that_this_is_weaker(
    made: Made, tmp_path: Path
) -> None:
    told = made.kept.with_manifest(device="cpu-amd-avx2-1")
    found = {each.what: each for each in made.verified(told, tmp_path, steps="1")}
    assert "the weaker check" in found["losses"].words
    assert found["updates"].standing is Standing.UNCHECKED
    assert found["batches"].standing is Standing.TRUE


def test_a_secret_prompt_or_a_missing_base_leaves_steps_unchecked(
    made: Made, tmp_path: Path
) -> None:
    def missing(name: str) -> Any:
        raise MissingModel("no model")

    for changes in ({"systems": ()}, {"base": missing}):
        found = made.verified(made.kept, tmp_path, **changes)
        assert lies(found) == {}
        assert found[-1].what == "steps"
        assert not verify.was_made_again(found)
