"""The low-rank update that is trained: made anew from a seed, or read from a folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from training.model.base import Base
from training.recipes.config import LoraShape

WEIGHTS = "adapter_model.safetensors"


def fresh(model: Any, shape: LoraShape, seed: int) -> Any:
    """The model with an update that changes nothing yet (B = 0); A is drawn by the seed, the same on every device."""
    import torch
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=shape.rank,
        lora_alpha=shape.alpha,
        lora_dropout=shape.dropout,
        target_modules=sorted(shape.targets),
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        adapted = get_peft_model(model, config)
        _draw(adapted, seed)
    return adapted


def _draw(adapted: Any, seed: int) -> None:
    """A of each module from a stream of its own, drawn on the CPU: neither device nor order of modules matters."""
    import torch

    for name, parameter in adapted.named_parameters():
        if "lora_A" not in name:
            continue
        label = hashlib.sha256(f"agon-lora/1:{seed}:{name}".encode()).digest()
        stream = torch.Generator().manual_seed(int.from_bytes(label[:7], "big"))
        bound = (1 / parameter.shape[1]) ** 0.5  # PEFT's: Kaiming, uniform, a = sqrt(5)
        drawn = torch.empty(parameter.shape, dtype=torch.float32)
        drawn.uniform_(-bound, bound, generator=stream)
        with torch.no_grad():
            parameter.copy_(drawn)


def from_folder(model: Any, folder: Path, *, trainable: bool = True) -> Any:
    """The model with the update of a folder, as PEFT writes it."""
    from peft import PeftModel

    adapted = PeftModel.from_pretrained(
        model, str(folder), is_trainable=trainable, local_files_only=True
    )
    # Where the base lies here: PEFT asks the hub for what is in the file, the base's name.
    adapted.peft_config["default"].base_model_name_or_path = model.name_or_path
    return adapted


def save(adapted: Any, folder: Path, base: Base) -> None:
    """Write the update as PEFT does, all at once, and without a word about this machine; the same bytes for the same tensors."""
    making = folder.with_name(f".{folder.name}-making")
    shutil.rmtree(making, ignore_errors=True)
    adapted.peft_config["default"].base_model_name_or_path = base.name
    adapted.save_pretrained(making, selected_adapters=["default"], save_embedding_layers=False)
    (making / "README.md").unlink(missing_ok=True)
    file = making / "adapter_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    config["target_modules"] = sorted(config["target_modules"])  # a set's order is chance
    file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    making.rename(folder)


def digest(folder: Path) -> str:
    """SHA-256 of an adapter's weights file."""
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
