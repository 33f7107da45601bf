"""A run that is killed and goes on has the proof of one that was not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.training import tiny
from training.data.example import Example
from training.documents.adapter import Base as BaseName
from training.model.base import Base
from training.proof import record, state
from training.proof.prove import Proof, prove
from training.proof.record import NotRecorded, Recorder, recorded
from training.recipes.config import LoraShape, TrainConfig
from training.recipes.observer import Trained
from training.recipes.run import train

CONFIG = TrainConfig(
    steps=6,
    batch=2,
    micro_batch=2,
    threads=1,
    checkpoint_every=2,
    max_length=32,
    lora=LoraShape(rank=2, alpha=4, dropout=0.1, targets=("q_proj",)),
)
EXAMPLES = [
    Example(prompt=tuple(range(100 + n, 120 + n)), completion=(7, 8 + n, 2)) for n in range(5)
]


class Killed(Exception):
    pass


class Kill:
    """Ends the run after a step was told, before its checkpoint."""

    def __init__(self, at: int) -> None:
        self._at = at

    def begun(self, model: Any, config: TrainConfig) -> None: ...

    def stepped(self, step: int, loss: float, batch: Mapping[str, Any], model: Any) -> None:
        if step == self._at:
            raise Killed

    def ended(self, trained: Trained) -> None: ...


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return tiny.make(tmp_path_factory.mktemp("base"))


def run(base: Base, folder: Path, *observers: Any, config: TrainConfig = CONFIG) -> None:
    train(config, base, EXAMPLES, folder, observers=observers, device="cpu")


def proof(folder: Path) -> Proof:
    return prove(folder, base=BaseName(name="tiny", sha256="0" * 64), data="bafkrei" + "a" * 52)


@pytest.mark.slow
def test_killed_and_gone_on_it_has_the_same_proof_as_uninterrupted(
    base: Base, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run(base, whole, Recorder(whole))
    for at in (1, 4, 5):  # before any checkpoint, just before one is written, just after
        with pytest.raises(Killed):
            run(base, killed, Recorder(killed), Kill(at))
        with (record.folder_of(killed) / record.STEPS).open("ab") as torn:
            torn.write(b"[12")  # the power went
    run(base, killed, Recorder(killed))
    assert proof(killed).document == proof(whole).document
    assert list(proof(killed).states) == list(proof(whole).states)
    for step, file in recorded(whole).states.items():
        assert state.adapter_digest(file.read_bytes()) == recorded(whole).steps[step - 1].weights


@pytest.mark.slow
def test_steps_that_were_not_recorded_and_another_config_have_no_proof(
    base: Base, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    with pytest.raises(Killed):
        run(base, folder, Kill(3))
    with pytest.raises(NotRecorded, match="goes on at step 3, and 0 steps"):
        run(base, folder, Recorder(folder))
    other = msgspec.structs.replace(CONFIG, learning_rate=1e-3)
    with pytest.raises(NotRecorded, match="another config: learning_rate"):
        Recorder(folder).begun(None, other)
    with pytest.raises(NotRecorded, match="trained without its proof"):
        proof(tmp_path)


def test_states_are_few_at_even_distances_and_none_at_the_end() -> None:
    def kept(steps: int, every: int, most: int = 8) -> list[int]:
        config = msgspec.structs.replace(CONFIG, steps=steps, checkpoint_every=every)
        return list(record.kept_states(config, most))

    assert kept(100, 25) == [25, 50, 75]
    assert kept(25, 25) == []
    assert kept(101, 25) == [25, 50, 75, 100]
    assert kept(100_000, 25, 4) == [25_000, 50_000, 75_000]
    assert all(0 < len(kept(steps, 1)) <= 8 for steps in range(2, 60))
