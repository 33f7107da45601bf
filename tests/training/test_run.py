"""A training on a model of two layers: what it tells, what it leaves, and that killing it changes nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.training import tiny, trainings
from tests.training.trainings import EVERY, STEPS, Told, once
from training.data.example import Example, Labelled, Pair
from training.model.base import Base
from training.recipes.metrics import JsonLines
from training.recipes.observer import Observer
from training.recipes.refused import CannotTrain, Diverged, OtherRun
from training.recipes.run import train

pytestmark = pytest.mark.slow
WEIGHTS = "adapter_model.safetensors"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make(tmp_path_factory.mktemp("tiny")).folder


def kill_after(step: int, base: Path, folder: Path, recipe: str) -> None:
    """SIGKILL in the midst of the updates that follow a step."""
    command = [sys.executable, "-m", "tests.training.trainings", str(base), str(folder), recipe]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == step:
                process.kill()
                break
    assert process.returncode == -9


@pytest.mark.parametrize("recipe", ["sft", "dpo"])
def test_a_run_that_is_killed_goes_on_to_the_same_bytes(
    recipe: str, base: Path, tmp_path: Path
) -> None:
    whole, told = Told(), Told()
    plain = once(base, tmp_path / "plain", recipe, [whole])
    kill_after(2 * EVERY + 1, base, tmp_path / "killed", recipe)
    assert not (tmp_path / "killed" / "adapter").exists()

    trained = once(base, tmp_path / "killed", recipe, [told])

    assert trained.began_at == 2 * EVERY
    assert told.steps == whole.steps[2 * EVERY :]
    for name in (WEIGHTS, "adapter_config.json"):
        assert (trained.adapter / name).read_bytes() == (plain.adapter / name).read_bytes(), name


def test_a_checkpoint_that_was_being_written_is_not_gone_on_from(
    base: Path, tmp_path: Path
) -> None:
    plain = once(base, tmp_path / "plain", "kto")
    run = tmp_path / "run"
    once(base, run, "kto")
    for each in (run / "adapter").iterdir():
        each.unlink()
    (run / "adapter").rmdir()
    newest = run / "checkpoints" / f"checkpoint-{STEPS}"
    (newest / "whole").unlink()
    (newest / "optimizer.pt").write_bytes(b"half")
    trained = once(base, run, "kto")
    assert trained.began_at == 3 * EVERY
    assert (trained.adapter / WEIGHTS).read_bytes() == (plain.adapter / WEIGHTS).read_bytes()


def test_updates_are_told_with_their_whole_batch_and_figures(base: Path, tmp_path: Path) -> None:
    told = Told()
    trained = once(base, tmp_path, "sft", [told, JsonLines(tmp_path / "metrics.jsonl")])
    assert told.trained == trained
    assert [step for step, _ in told.steps] == list(range(1, STEPS + 1))
    for shapes in told.shapes:
        assert shapes["input_ids"] == shapes["labels"] == shapes["attention_mask"]
        assert shapes["input_ids"][0] == 4  # of two micro-batches
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["loss"] for line in lines] == [loss for _, loss in told.steps]
    assert all(line["tokens"] > 0 and line["grad_norm"] > 0 for line in lines)


def test_what_is_left_says_nothing_of_this_machine(base: Path, tmp_path: Path) -> None:
    adapter = once(base, tmp_path, "sft").adapter
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tiny"
    assert config["target_modules"] == sorted(config["target_modules"])
    assert {each.name for each in adapter.iterdir()} == {WEIGHTS, "adapter_config.json"}


def test_examples_are_learned(base: Path, tmp_path: Path) -> None:
    told = Told()
    once(base, tmp_path, "sft", [told], steps=30, learning_rate=3e-2, checkpoint_every=30)
    losses = [loss for _, loss in told.steps]
    assert losses[-1] < 0.7 * losses[0]


def test_sixteen_bits_and_an_adapter_to_go_on_from(base: Path, tmp_path: Path) -> None:
    first = once(base, tmp_path / "first", "sft", steps=2, four_bit=False)
    told = Told()
    data = trainings.examples("dpo")
    learn(base, tmp_path / "second", "dpo", data, first.adapter, [told])
    # The reference is the adapter that it goes on from, so nothing is preferred yet.
    assert told.steps[0][1] == pytest.approx(0.6931, abs=1e-3)


def test_a_finished_run_is_told_and_another_one_refused(base: Path, tmp_path: Path) -> None:
    first = once(base, tmp_path, "sft", steps=2)
    again = once(base, tmp_path, "sft", steps=2)
    assert (again.adapter, again.loss) == (first.adapter, None)
    with pytest.raises(OtherRun, match=r"its config\.steps differ"):
        once(base, tmp_path, "sft", steps=3)


def test_what_cannot_be_learned_is_said(base: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotTrain, match="kto needs two examples in memory"):
        once(base, tmp_path / "kto", "kto", micro_batch=1)
    with pytest.raises(CannotTrain, match="none of 14 examples fits into 16 tokens"):
        once(base, tmp_path / "short", "sft", max_length=16)
    with pytest.raises(CannotTrain, match="sft learns from Example, not from Pair"):
        learn(base, tmp_path / "mixed", "sft", trainings.examples("dpo"))


def test_a_loss_that_is_no_number_ends_the_run(base: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    broken = tmp_path / "broken"
    shutil.copytree(base, broken)
    weights = load_file(broken / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(Diverged, match=r"the loss of step 1 is nan; .* a lower learning_rate"):
        once(broken, tmp_path / "run", "sft")
    assert not (tmp_path / "run" / "adapter").exists()


def learn(
    base: Path,
    folder: Path,
    recipe: str,
    data: Sequence[Example | Pair | Labelled],
    parent: Path | None = None,
    observers: Sequence[Observer] = (),
) -> None:
    train(
        trainings.config(recipe, steps=2),
        Base("tiny", base, tiny.SHA256),
        data,
        folder,
        parent=parent,
        observers=observers,
        device="cpu",
    )
