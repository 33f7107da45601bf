"""Watches a run and writes down what its proof will say: an observer of `training.recipes.run`.

The record lies in the run's folder and is written as the run goes, so that a run that was killed and goes on from its checkpoint has one
record of all its steps: what was noted after that checkpoint is noted again, and comes to the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from training.documents.training import Step
from training.proof import digest, state
from training.proof.manifest import config_document
from training.recipes.config import TrainConfig
from training.recipes.observer import Trained

STEPS = "steps.jsonl"
MOST_STATES = 8
"""States that are kept of a run, at even distances: each is three times the adapter."""
MICROS = 1_000_000
WHOLE = "whole"
"""The file by which the trainer says that all of a checkpoint is on the disk (`training.recipes.frame`, which needs torch)."""


class NotRecorded(Exception):
    """Steps of the run were made without being recorded, or by another config: there is no proof of it."""


class Recorded(msgspec.Struct, frozen=True):
    """What was written down of a run."""

    start: str
    config: dict[str, Any]
    steps: tuple[Step, ...]
    states: Mapping[int, Path]
    """After these steps."""


class Recorder:
    """Give one to every run that is to be proved. `run` is the run's folder."""

    def __init__(self, run: Path, most_states: int = MOST_STATES) -> None:
        self._run = run
        self._file = folder_of(run) / STEPS
        self._most = most_states
        self._goes_on = True
        self._states = States(run, ())

    def begun(self, model: Any, config: TrainConfig) -> None:
        self._states = States(self._run, kept_states(config, self._most))
        told = config_document(config)
        if not self._file.exists():
            self._file.parent.mkdir(parents=True, exist_ok=True)
            start = digest.of_weights(digest.adapter_tensors(model))
            _replace(self._file, [_Head(start=start, config=told)])
        elif (head := _head(self._file)).config != told:
            differing = sorted(key for key in told if told[key] != head.config.get(key))
            raise NotRecorded(f"{self._run} was begun with another config: {', '.join(differing)}")
        self._goes_on = True
        self._states.take()

    def stepped(self, step: int, loss: float, batch: Mapping[str, Any], model: Any) -> None:
        if self._goes_on:
            self._drop_from(step)
            self._goes_on = False
        with self._file.open("ab") as written:
            written.write(msgspec.json.encode(noted(loss, batch, model)) + b"\n")
        self._states.take()

    def ended(self, trained: Trained) -> None:
        self._states.take()

    def _drop_from(self, step: int) -> None:
        """Drop what was noted of this step and later ones before the run was killed."""
        before = recorded(self._run)
        if len(before.steps) < step - 1:
            raise NotRecorded(
                f"{self._run} goes on at step {step}, and {len(before.steps)} steps before it were recorded"
            )
        head = _Head(start=before.start, config=before.config)
        _replace(self._file, [head, *before.steps[: step - 1]])


class States:
    """Puts checkpoints aside as states, before the trainer deletes them: it keeps its last two alone."""

    def __init__(self, run: Path, steps: Iterable[int]) -> None:
        self._checkpoints = run / "checkpoints"
        self._folder = folder_of(run)
        self._steps = tuple(steps)

    def take(self) -> None:
        """Those that were written since; a checkpoint is written after its step was told. Idempotent."""
        for step in self._steps:
            to = self._folder / _state_name(step)
            checkpoint = self._checkpoints / f"checkpoint-{step}"
            if not to.exists() and (checkpoint / WHOLE).is_file():
                to.parent.mkdir(parents=True, exist_ok=True)
                making = to.with_suffix(".making")
                making.write_bytes(state.of_checkpoint(checkpoint))
                making.replace(to)


def noted(loss: float, batch: Mapping[str, Any], model: Any) -> Step:
    """What is written down of an update."""
    return Step(
        loss=round(loss * MICROS),
        batch=digest.of_batch(batch),
        weights=digest.of_weights(digest.adapter_tensors(model)),
    )


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line."""

    start: str
    config: dict[str, Any]


def recorded(run: Path) -> Recorded:
    """What was written down so far, without a line that a kill cut off. Raises NotRecorded."""
    folder = folder_of(run)
    file = folder / STEPS
    if not file.exists():
        raise NotRecorded(f"{run} has no record: it was trained without its proof")
    head = _head(file)
    _, *lines = file.read_bytes().splitlines(keepends=True)
    steps = tuple(msgspec.json.decode(each, type=Step) for each in lines if each.endswith(b"\n"))
    return Recorded(head.start, head.config, steps, states_of(run))


def states_of(run: Path) -> dict[int, Path]:
    """The states that were put aside, by step."""
    found = folder_of(run).glob(_state_name("*"))
    return dict(sorted((int(path.stem.rpartition("-")[2]), path) for path in found))


def kept_states(config: TrainConfig, most: int) -> range:
    """The steps whose states are kept: every n-th checkpoint, none at the end, since nothing goes on from there."""
    checkpoints = (config.steps - 1) // config.checkpoint_every
    apart = config.checkpoint_every * max(1, -(-checkpoints // max(most, 1)))
    return range(apart, config.steps, apart)


def folder_of(run: Path) -> Path:
    return run / "proof"


def forget(run: Path) -> None:
    """Remove the record, e.g. before a run is begun anew. Idempotent."""
    shutil.rmtree(folder_of(run), ignore_errors=True)


def _head(file: Path) -> _Head:
    with file.open("rb") as opened:
        return msgspec.json.decode(opened.readline(), type=_Head)


def _state_name(step: object) -> str:
    return f"state-{step}.safetensors"


def _replace(file: Path, lines: list[msgspec.Struct]) -> None:
    making = file.with_suffix(".making")
    making.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in lines))
    making.replace(file)
