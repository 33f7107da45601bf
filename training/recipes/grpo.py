"""Learn from matches that the model plays itself, while it learns (GRPO; Shao et al., 2024).

An update is: matches against the curriculum's opponents by the weights as they stand, their answers with how much
better than expected they turned out (`training.play.samples`), `batch` of those drawn by the seed, and one step of
trl's clipped loss on them. The ratio is taken to the log-probabilities that the sampler had: among the few tokens
that a grammar allowed, where there was one, so that forced tokens are neither praised nor blamed; they are masked.
The loss is averaged over the update's free tokens (DAPO; Yu et al., 2025), not over each answer's, so that it does
not favour short bad answers or long good ones.

Step k is a function of the weights before it, of the state that its checkpoint keeps (`rollouts.State`: the running
baselines, where the learner stands in its curriculum, its frozen selves) and of k. One process; resumable.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch
from trl import GRPOConfig, GRPOTrainer
from trl.trainer.utils import use_adapter

from training.model import base as bases
from training.model import lora
from training.model.base import Base
from training.play.ask import Player
from training.play.samples import Tally
from training.recipes.config import TrainConfig
from training.recipes.frame import Frame, arguments, last_whole, step_of
from training.recipes.grammar import logprobs
from training.recipes.grpo_batch import drawn, tensors
from training.recipes.observer import Observer, Trained
from training.recipes.online import Online
from training.recipes.reference import STARTING, forget_copy
from training.recipes.refused import CannotTrain
from training.recipes.rollouts import Rollouts
from training.recipes.run import claim, identity_of, place
from training.recipes.same import same


class _Remembering(GRPOTrainer):  # type: ignore[misc]
    """Its checkpoints also keep the rollouts' state; stands behind `Frame`, which then calls them whole."""

    rollouts: Rollouts

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        self.rollouts.save(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}")

    def _load_from_checkpoint(self, resume_from_checkpoint: Any, model: Any = None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        self.rollouts.read(Path(resume_from_checkpoint))


class Trainer(Frame, _Remembering):
    """trl's trainer with whole matches in place of its prompts; its loss, clip and figures are its own."""

    outputs = ("log_probs", "entropy")

    def __init__(self, *, online: Online, rivals: Mapping[str, Player], **rest: Any) -> None:
        config: TrainConfig = rest["config"]
        # As many rows as trl takes for one update: what they hold is never looked at.
        rows = config.batch * rest["args"].gradient_accumulation_steps
        super().__init__(examples=range(rows), reward_funcs=_unasked, **rest)
        self.data_collator = lambda rows: {"place": torch.tensor([row["place"] for row in rows])}
        self._online = online
        self.rollouts = Rollouts(online, config, self.model, rest["processing_class"], rivals)
        self._allowed: Any = None

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return range(len(self.train_dataset))

    def _generate_and_score_completions(self, inputs: Any) -> dict[str, Any]:
        step, began = int(self.state.global_step), time.monotonic()
        if step:
            self.rollouts.updated(step)
        samples, tally = self.rollouts.round(step)
        self._tell(tally, time.monotonic() - began)
        batch = drawn(samples, self._config, step)
        made = tensors(batch, self._tokenizer.pad_token_id, self.accelerator.device)
        if self.beta:
            with (
                torch.no_grad(),
                use_adapter(self.model, STARTING if STARTING in self.model.peft_config else None),
            ):
                made["ref_per_token_logps"] = self._logps(self.model, made)[0]
        return made

    def _tell(self, tally: Tally, seconds: float) -> None:
        mine, standing = self._metrics["train"], self.rollouts.state.standing
        figures = {
            "stage": float(standing.stage),
            "reward": tally.reward,
            "valid": tally.valid / max(1, tally.answers),
            "answer_tokens": tally.tokens / max(1, tally.answers),
            "taught": tally.kept / max(1, tally.answers),
            "seconds": seconds,
        }
        if standing.win_rate is not None:
            figures["win_rate"] = standing.win_rate
        for name, value in figures.items():
            mine[f"rollout/{name}"].append(value)

    def _prepare_inputs(self, generation_batch: Any) -> Any:
        inputs = super()._prepare_inputs(generation_batch)
        # Observers are shown what is learnt from, in place of the places.
        ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], 1)
        mask = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], 1)
        free = torch.cat([torch.zeros_like(inputs["prompt_mask"]), inputs["tool_mask"]], 1)
        self._seen[-1] = {
            "input_ids": ids,
            "attention_mask": mask,
            "labels": ids.masked_fill(free == 0, -100),
            "advantages": inputs["advantages"],
        }
        return inputs

    def _compute_loss(self, model: Any, inputs: Any) -> Any:
        self._allowed = inputs["allowed"]
        return super()._compute_loss(model, inputs)

    def _get_per_token_logps_and_entropies(
        self, model: Any, input_ids: Any, attention_mask: Any, *rest: Any, **more: Any
    ) -> tuple[Any, Any, None]:
        with self.accelerator.autocast():
            found, entropy = logprobs(
                self.accelerator.unwrap_model(model),
                input_ids,
                attention_mask,
                self._allowed,
                self.temperature,
            )
        return found, entropy, None

    def _logps(self, model: Any, made: Mapping[str, Any]) -> tuple[Any, Any]:
        """Of a whole update, in parts of a micro-batch."""
        parts = []
        ids = torch.cat([made["prompt_ids"], made["completion_ids"]], 1)
        mask = torch.cat([made["prompt_mask"], made["completion_mask"]], 1)
        size = self._train_batch_size
        for at in range(0, len(ids), size):
            part = slice(at, at + size)
            self._allowed = made["allowed"][part]
            parts.append(self._get_per_token_logps_and_entropies(model, ids[part], mask[part]))
        return torch.cat([each[0] for each in parts]), torch.cat([each[1] for each in parts])


def _unasked(*_: Any, **__: Any) -> Any:
    raise AssertionError("rewards come from whole matches")


def train(
    config: TrainConfig,
    online: Online,
    base: Base,
    folder: Path,
    rivals: Mapping[str, Player],
    *,
    parent: Path | None = None,
    observers: Sequence[Observer] = (),
    device: str | None = None,
) -> Trained:
    """Train, or go on where this folder's run was left, as `training.recipes.run.train` does it with examples.

    `rivals` are the scripted players that the curriculum names. Raises `CannotTrain` (`OtherRun` and `Diverged` are
    kinds of it), InvalidParams, and whatever a player or an observer raises.
    """
    played = hashlib.sha256(msgspec.json.encode(online)).hexdigest()
    claim(folder, identity_of(config, base, played, parent))
    found = Trained(
        adapter=folder / "adapter", steps=config.steps, loss=None, began_at=config.steps
    )
    if found.adapter.is_dir():
        return found
    bases.quiet_transformers()
    where, processes, _ = place(device)
    if processes > 1:
        raise CannotTrain(f"grpo trains in one process, not in {processes}")
    with same(config, where):
        model = bases.load(base, four_bit=config.four_bit, device=where)
        model = (
            lora.fresh(model, config.lora, config.seed)
            if parent is None
            else lora.from_folder(model, parent)
        )
        made = trainer(
            model=model,
            tokenizer=bases.tokenizer(base),
            config=config,
            online=online,
            folder=folder / "checkpoints",
            device=where,
            observers=observers,
            rivals=rivals,
            begins_at_nothing=parent is None,
        )
        last = last_whole(folder / "checkpoints")
        for each in observers:
            each.begun(made.model, config)
        made.train(resume_from_checkpoint=None if last is None else str(last))
        trained = msgspec.structs.replace(
            found, loss=made.last_loss, began_at=0 if last is None else step_of(last)
        )
        lora.save(made.model, found.adapter, base)
        for each in observers:
            each.ended(trained)
    return trained


def trainer(
    model: Any,
    tokenizer: Any,
    config: TrainConfig,
    online: Online,
    folder: Path,
    device: str,
    observers: Sequence[Observer],
    rivals: Mapping[str, Player],
    begins_at_nothing: bool = True,
) -> Trainer:
    """Raises CannotTrain for a batch that is no even number: trl compares at least two answers."""
    if config.batch % 2:
        raise CannotTrain(f"grpo's batch is an even number, got {config.batch}")
    told = arguments(config, folder, device)
    told.pop("max_length")
    made = Trainer(
        model=model,
        config=config,
        online=online,
        rivals=rivals,
        observers=observers,
        args=GRPOConfig(
            **told,
            beta=config.beta,
            epsilon=config.clip,
            temperature=online.temperature,
            num_generations=2,
            max_completion_length=online.max_tokens,
            loss_type="dapo",
            disable_dropout=False,
            shuffle_dataset=False,
        ),
        processing_class=tokenizer,
    )
    if begins_at_nothing:
        forget_copy(made.model)
    return made
