"""What all recipes share: trl's trainer, fed by our draws, telling our observers, and silent towards everybody else."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers.trainer_callback import PrinterCallback

from training.recipes.config import TrainConfig
from training.recipes.draws import Draws, micro_batch
from training.recipes.head import only_answers
from training.recipes.observer import Observer, tell
from training.recipes.refused import Diverged

WHOLE = "whole"
"""An empty file that a checkpoint gets last: without it, it was being written when the run was killed."""


def arguments(config: TrainConfig, folder: Path, device: str, processes: int = 1) -> dict[str, Any]:
    """The part of trl's arguments that does not depend on the recipe."""
    micro = micro_batch(config, processes)
    on_cpu = device == "cpu"
    return {
        "output_dir": str(folder),
        "max_steps": config.steps,
        "per_device_train_batch_size": micro,
        "gradient_accumulation_steps": config.batch // (micro * processes),
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": "linear",
        "warmup_steps": round(config.warmup * config.steps),
        "max_grad_norm": 1.0,
        "weight_decay": 0.0,
        # Paged: the optimiser's state leaves a full GPU for the host's memory (QLoRA).
        "optim": "adamw_torch" if on_cpu else "paged_adamw_32bit",
        "bf16": True,
        "use_cpu": on_cpu,
        "gradient_checkpointing": config.save_memory,
        "seed": config.seed,
        "save_strategy": "steps",
        "save_steps": config.checkpoint_every,
        "save_total_limit": 2,
        "logging_strategy": "steps",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "dataloader_pin_memory": not on_cpu,
        "max_length": None,  # lengths.py has seen to it
    }


class Frame:
    """Stands before a trainer of trl in a recipe's bases; `outputs` names what its loss reads of the head."""

    outputs: tuple[str, ...] = ("log_probs", "entropy", "is_top1")
    # Of trl's trainer, which comes after this class:
    state: Any
    model: Any
    accelerator: Any
    _metrics: Any

    def __init__(
        self,
        *,
        model: Any,
        config: TrainConfig,
        examples: Sequence[Any],
        observers: Sequence[Observer],
        **rest: Any,
    ) -> None:
        self._config = config
        self._observers = observers
        self._draws = Draws(len(examples), config)
        self._seen: list[Mapping[str, Any]] = []
        self._began = 0.0
        self.last_loss: float | None = None
        trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
        before = {name: p.detach().clone() for name, p in trained.items()}
        super().__init__(  # type: ignore[call-arg]
            model=model,
            # The collator has the examples; what travels are their places.
            train_dataset=Dataset.from_dict({"place": list(range(len(examples)))}),
            **rest,
        )
        self.remove_callback(PrinterCallback)  # type: ignore[attr-defined]
        self.processing_class = None  # else each checkpoint has the vocabulary
        # trl rounds the update of a four-bit model to bf16, where steps of a small rate are lost.
        for name, parameter in trained.items():
            parameter.data = before[name]
        only_answers(self.model.get_base_model(), self.outputs)

    def _get_train_sampler(self, train_dataset: Any = None) -> Draws:
        return self._draws

    def _prepare_dataset(self, dataset: Any, *rest: Any, **more: Any) -> Any:
        return dataset

    def _send_telemetry(self) -> None:
        """Nobody is told what is trained here."""

    def create_model_card(self, *rest: Any, **more: Any) -> None:
        """An adapter's card is ours (`agon-adapter/1`)."""

    def training_step(self, model: Any, inputs: dict[str, Any], *rest: Any, **more: Any) -> Any:
        if not self._seen:
            self._began = time.monotonic()
        self._seen.append(dict(inputs))
        return super().training_step(model, inputs, *rest, **more)  # type: ignore[misc]

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Called by transformers after each update, before a checkpoint is written, and once at the end."""
        super().log(logs, start_time)  # type: ignore[misc]
        self.state.log_history.clear()  # else each checkpoint has all of it
        if not self._seen:
            return
        step = int(self.state.global_step)
        loss = logs["loss"]  # all processes' mean
        self.last_loss = loss
        batch = merged(self._seen)
        figures = {name: value for name, value in logs.items() if isinstance(value, int | float)}
        figures |= {
            "tokens": float(batch["attention_mask"].sum()),
            "seconds": time.monotonic() - self._began,
        }
        figures.pop("epoch", None)
        figures.pop("num_tokens", None)
        self._seen = []
        if not math.isfinite(loss):
            raise Diverged(
                f"the loss of step {step} is {loss}; begin a new folder with a lower learning_rate than {self._config.learning_rate}"
            )
        if self.accelerator.is_main_process:
            for each in self._observers:
                each.stepped(step, loss, batch, self.model)
            tell(self._observers, step, figures)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)  # type: ignore[misc]
        if self.accelerator.is_main_process:
            mark_whole(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}")  # type: ignore[attr-defined]


def mark_whole(checkpoint: Path) -> None:
    """Say that all of a checkpoint is on the disk."""
    for file in checkpoint.iterdir():
        if file.is_file():
            with file.open("rb") as written:
                os.fsync(written.fileno())
    (checkpoint / WHOLE).touch()


def last_whole(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end."""
    found = [each for each in folder.glob("checkpoint-*") if (each / WHOLE).is_file()]
    return max(found, key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def merged(micro_batches: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One update's micro-batches as one, padded as each of them is; shape (batch, T)."""
    if len(micro_batches) == 1:
        return dict(micro_batches[0])
    return {
        name: _stacked([each[name] for each in micro_batches], PADDING.get(name, 0))
        for name in micro_batches[0]
    }


PADDING = {"labels": -100}
"""What fills a row's end where it is not 0; token ids have theirs masked by `attention_mask`."""


def _stacked(parts: list[Any], filling: int) -> Any:
    if parts[0].ndim < 2:
        return torch.cat(parts)
    width = max(part.shape[1] for part in parts)
    grown = [torch.nn.functional.pad(p, (0, width - p.shape[1]), value=filling) for p in parts]
    return torch.cat(grown)


def padded(rows: Sequence[Sequence[int]], filling: int) -> Any:
    """Rows of token ids as a tensor, filled at their ends; shape (B, T)."""
    width = max(map(len, rows))
    return torch.tensor([[*row, *[filling] * (width - len(row))] for row in rows])


def tokens(prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], pad: int) -> Any:
    """Ids, attention mask, and labels that are -100 outside the answers; each of shape (B, T)."""
    rows = [(*prompt, *answer) for prompt, answer in zip(prompts, answers, strict=True)]
    labels = [
        (*[-100] * len(prompt), *answer) for prompt, answer in zip(prompts, answers, strict=True)
    ]
    return {
        "input_ids": padded(rows, pad),
        "attention_mask": padded([[1] * len(row) for row in rows], 0),
        "labels": padded(labels, -100),
    }
