"""A run: a base, a configuration and examples to an adapter; killed at any moment it goes on from its last checkpoint.

The folder of a run:
```
run.json        what it is: configuration, digest of the examples, base, parent
checkpoints/    the last two, each with a file `whole` once all of it is on the disk
adapter/        at the end
```
"""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from training.data.card import digest
from training.data.example import Example, Labelled, Pair
from training.model import base as bases
from training.model import lora
from training.model.base import Base
from training.recipes.config import TrainConfig
from training.recipes.files import KINDS
from training.recipes.lengths import fit
from training.recipes.observer import Observer, Trained
from training.recipes.refused import CannotTrain, OtherRun
from training.recipes.same import same


class _Identity(msgspec.Struct, frozen=True, kw_only=True):
    config: TrainConfig
    data: str
    base: str
    parent: str | None


def train(
    config: TrainConfig,
    base: Base,
    data: Sequence[Example | Pair | Labelled],
    folder: Path,
    *,
    parent: Path | None = None,
    observers: Sequence[Observer] = (),
    device: str | None = None,
) -> Trained:
    """Train, or go on where this folder's run was left; a run that is finished is only told.

    `parent` is an adapter's folder to go on from (dpo and kto keep near it), else the update begins at nothing.
    On a CPU the adapter is the same to the byte, killed or not. Raises `CannotTrain` (data that the recipe cannot
    learn from, `OtherRun`, `Diverged`), and whatever an observer raises.
    """
    _check_kind(config, data)
    bases.quiet_transformers()
    tokenizer: Any = bases.tokenizer(base)
    fitted = fit(data, config.max_length, tokenizer.eos_token_id)
    if not fitted.examples:
        raise CannotTrain(
            f"none of {len(data)} examples fits into {config.max_length} tokens; raise max_length"
        )
    claim(folder, identity_of(config, base, digest(fitted.examples), parent))
    adapter = folder / "adapter"
    found = Trained(
        adapter=adapter,
        steps=config.steps,
        loss=None,
        began_at=config.steps,
        shortened=fitted.shortened,
        dropped=fitted.dropped,
    )
    if adapter.is_dir():
        return found

    from training.recipes import frame

    where, processes, first = place(device)
    with same(config, where):
        model = bases.load(base, four_bit=config.four_bit, device=where)
        model = (
            lora.fresh(model, config.lora, config.seed)
            if parent is None
            else lora.from_folder(model, parent)
        )
        recipe = importlib.import_module(f"training.recipes.{config.recipe}")
        trainer = recipe.trainer(
            model=model,
            tokenizer=tokenizer,
            config=config,
            examples=fitted.examples,
            folder=folder / "checkpoints",
            device=where,
            observers=observers,
            processes=processes,
            begins_at_nothing=parent is None,
        )
        last = frame.last_whole(folder / "checkpoints")
        if first:
            for each in observers:
                each.begun(trainer.model, config)
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
        trained = msgspec.structs.replace(
            found,
            loss=trainer.last_loss,
            began_at=0 if last is None else frame.step_of(last),
        )
        if first:
            lora.save(trainer.model, adapter, base)
            for each in observers:
                each.ended(trained)
    return trained


def _check_kind(config: TrainConfig, data: Sequence[Any]) -> None:
    kind = KINDS.get(config.recipe)
    if kind is None:
        raise CannotTrain(
            f"the recipe {config.recipe!r} does not learn from a file of examples; {', '.join(KINDS)} do"
        )
    if not data:
        raise CannotTrain("there is nothing to learn from: no examples")
    wrong = next((each for each in data if not isinstance(each, kind)), None)
    if wrong is not None:
        raise CannotTrain(
            f"{config.recipe} learns from {kind.__name__}, not from {type(wrong).__name__}"
        )


def place(device: str | None) -> tuple[str, int, bool]:
    """The device of this process, how many processes train together (`accelerate launch`), and whether it is the first."""
    import torch
    from accelerate import PartialState

    if device == "cpu" or (device is None and not torch.cuda.is_available()):
        return "cpu", 1, True
    state = PartialState()
    where = device or f"cuda:{state.local_process_index}"
    return where, state.num_processes, state.is_main_process


def identity_of(config: TrainConfig, base: Base, data: str, parent: Path | None) -> _Identity:
    """What makes a run this one; `data` is a digest of what is learnt from."""
    return _Identity(
        config=config,
        data=data,
        base=base.sha256,
        parent=None if parent is None else lora.digest(parent),
    )


def claim(folder: Path, identity: _Identity) -> None:
    """Say in the folder whose run it is; raises `OtherRun` where that is said already and otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "run.json"
    if file.is_file():
        there = msgspec.to_builtins(msgspec.json.decode(file.read_bytes(), type=_Identity))
        ours = msgspec.to_builtins(identity)
        other = [name for name in ours if ours[name] != there[name]]
        other += [f"config.{n}" for n in ours["config"] if ours["config"][n] != there["config"][n]]
        if other:
            names = ", ".join(name for name in other if name != "config")
            raise OtherRun(f"{folder} holds another run (its {names} differ); use a new folder")
        return
    making = file.with_suffix(f".{os.getpid()}")  # of several processes that begin together
    making.write_bytes(msgspec.json.format(msgspec.json.encode(identity)))
    making.replace(file)


def forget(folder: Path) -> None:
    """Remove a run's checkpoints, when its adapter is in safety."""
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
