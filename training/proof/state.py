"""All that a run goes on from, as one safetensors file in canonical bytes: adapter, optimiser, scheduler, random numbers.

The trainer's own checkpoints are pickles, which nobody should open who does not know their maker, and whose bytes differ from run to run.
Equal states are equal bytes here, so a state has one content id, and whoever makes the steps before it again on the same device class must come to that id.

Python's and numpy's random numbers are left out: no recipe draws from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from training import tensors
from training.proof import digest
from training.proof.digest import of_torch, to_torch
from training.recipes.config import TrainConfig
from training.recipes.draws import micro_batch
from training.tensors import NotTensors, Tensor

VERSION = "agon-state/1"
ADAPTER = "adapter."
_PARTS = {"optimizer": "optimizer.pt", "scheduler": "scheduler.pt"}
"""Part -> the trainer's file of it."""
_RANDOM = "random."
MAX_BYTES = 4 << 30


def of_checkpoint(checkpoint: Path) -> bytes:
    """The state in a checkpoint's folder that the trainer here has written (its pickles are read)."""
    import torch

    adapter, _ = tensors.read((checkpoint / "adapter_model.safetensors").read_bytes())
    found = [_renamed(each, ADAPTER + each.name) for each in adapter]
    told = {"v": VERSION, "step": str(_step(checkpoint))}
    for part, file in _PARTS.items():
        tree = torch.load(checkpoint / file, map_location="cpu", weights_only=True)
        told[part] = json.dumps(_packed(tree, f"{part}.", found), separators=(",", ":"))
    random = torch.load(checkpoint / "rng_state.pth", map_location="cpu", weights_only=False)
    found += [of_torch(_RANDOM + name, random[name]) for name in ("cpu", "cuda") if name in random]
    return tensors.write(found, told)


def adapter_digest(state: bytes) -> str:
    """Of the adapter in a state: it must be that of the step that the state stood after. Raises NotTensors."""
    found, _ = tensors.read(state)
    return digest.of_weights(
        _renamed(each, each.name.removeprefix(ADAPTER))
        for each in found
        if each.name.startswith(ADAPTER)
    )


def to_checkpoint(state: bytes, checkpoint: Path, config: TrainConfig) -> None:
    """Write a state, which may come from anybody, as a folder that the trainer goes on from. Raises NotTensors."""
    import torch

    found, told = tensors.read(state)
    by_name = {each.name: each for each in found}
    if told.get("v") != VERSION:
        raise NotTensors(f"not an {VERSION}")
    checkpoint.mkdir(parents=True)
    adapter = [
        _renamed(each, each.name.removeprefix(ADAPTER))
        for each in found
        if each.name.startswith(ADAPTER)
    ]
    (checkpoint / "adapter_model.safetensors").write_bytes(tensors.write(adapter, {"format": "pt"}))
    for part, file in _PARTS.items():
        torch.save(_unpacked(_tree(told.get(part, "")), by_name), checkpoint / file)
    _write_random(by_name, checkpoint / "rng_state.pth")
    _write_trainer_state(told.get("step", ""), config, checkpoint / "trainer_state.json")


def _packed(value: Any, at: str, into: list[Tensor]) -> Any:
    """JSON of a tree, its tensors put into `into`: `["dict", [[key, value], …]]`, `["list", […]]`, `["tensor", name]`, or a scalar."""
    import torch

    if isinstance(value, torch.Tensor):
        into.append(of_torch(at, value))
        return ["tensor", at]
    if isinstance(value, dict):
        return ["dict", [[key, _packed(each, f"{at}{key}.", into)] for key, each in value.items()]]
    if isinstance(value, list | tuple):
        return ["list", [_packed(each, f"{at}{n}.", into) for n, each in enumerate(value)]]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a state holds no {type(value).__name__} ({at})")


def _unpacked(value: Any, by_name: dict[str, Tensor]) -> Any:
    match value:
        case ["tensor", str(name)] if name in by_name:
            return to_torch(by_name[name])
        case ["dict", list(items)]:
            return {key: _unpacked(each, by_name) for key, each in _pairs(items)}
        case ["list", list(items)]:
            return [_unpacked(each, by_name) for each in items]
        case None | bool() | int() | float() | str():
            return value
    raise NotTensors("a state whose tree cannot be read")


def _pairs(items: list[Any]) -> Iterator[tuple[str | int, Any]]:
    for item in items:
        match item:
            case [str() | int() as key, value]:
                yield key, value
            case _:
                raise NotTensors("a state whose tree cannot be read")


def _tree(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise NotTensors("a state whose tree cannot be read") from None


def _write_random(by_name: dict[str, Tensor], file: Path) -> None:
    """The numbers that were kept, and what Python and numpy have now."""
    import random

    import numpy
    import torch

    kept = {
        name: to_torch(by_name[_RANDOM + name])
        for name in ("cpu", "cuda")
        if _RANDOM + name in by_name
    }
    torch.save({"python": random.getstate(), "numpy": numpy.random.get_state()} | kept, file)


def _write_trainer_state(step: str, config: TrainConfig, file: Path) -> None:
    """What transformers asks of a run that it goes on with; all but the step follows from the config."""
    from transformers.trainer_callback import TrainerControl, TrainerState

    if not step.isdecimal() or not 1 <= int(step[:9]) < config.steps:
        raise NotTensors("a state that does not say after which step it stood")
    TrainerState(
        global_step=int(step),
        max_steps=config.steps,
        logging_steps=1,
        save_steps=config.checkpoint_every,
        train_batch_size=micro_batch(config),
        stateful_callbacks={"TrainerControl": TrainerControl().state()},
    ).save_to_json(str(file))


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _renamed(tensor: Tensor, name: str) -> Tensor:
    return msgspec.structs.replace(tensor, name=name)
