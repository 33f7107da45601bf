"""Our recipes beside plain trl: the same model in four bits, the same update, examples, order and knobs.

Each is run in turn, twice, on SmolLM2-135M. A run is a few updates, of which the first ones (memory is taken, kernels
are chosen) are not counted. Tokens are all that the model reads, prompts included; both read the same ones.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from training.data.example import Example, Pair
from training.model import base as bases
from training.model.base import Base
from training.recipes.config import TrainConfig
from training.recipes.draws import Draws
from training.recipes.observer import Trained

BAR = 0.95
ROUNDS = 2
UNCOUNTED = 2
CONFIG = TrainConfig(steps=6, batch=8, micro_batch=8, threads=2, checkpoint_every=1_000)
EXAMPLES = 48
QUESTION = (
    "<|im_start|>system\nYou play Bid Tac Toe to win.<|im_end|>\n<|im_start|>user\n{}\nYour bid?"
    "<|im_end|>\n<|im_start|>assistant\n"
)


async def run(redis_url: str) -> list[dict[str, Any]]:
    """Needs no Redis."""
    return [row for recipe in ("sft", "dpo") for row in _measured(recipe)]


def _measured(recipe: str) -> list[dict[str, Any]]:
    base = bases.find()
    tokenizer: Any = bases.tokenizer(base)
    config = TrainConfig(
        **{**_knobs(CONFIG), "recipe": recipe, "batch": 8 if recipe == "sft" else 4}
    )
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_ours(base, tokenizer, config))
        theirs.append(_theirs(base, tokenizer, config))
    best, plain = max(ours), max(theirs)
    ratio = round(best / plain, 2)
    return [
        {
            "name": f"training_{recipe}_tokens_per_s",
            "value": round(best),
            "unit": "tokens/s",
            "bar": None,
            "met": None,
            "peers": {"trl": round(plain)},
            "runs": {"ours": [round(x) for x in ours], "trl": [round(x) for x in theirs]},
        },
        {
            "name": f"training_{recipe}_ratio_to_trl",
            "value": ratio,
            "unit": "x",
            "bar": BAR,
            "met": ratio >= BAR,
        },
    ]


def _knobs(config: TrainConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in config.__struct_fields__}


def texts() -> list[tuple[str, str, str]]:
    """Questions as long as those of Bid Tac Toe, with a good and a bad answer."""
    rng = random.Random(20261127)
    made = []
    for _ in range(EXAMPLES):
        rows = [
            f"Round {n}: you bid {rng.randrange(40)}, they bid {rng.randrange(40)}; cell {rng.randrange(9)} is taken."
            for n in range(rng.randint(5, 9))
        ]
        good, bad = (f'{{"bid": {rng.randrange(60)}}}' for _ in range(2))
        made.append((QUESTION.format("\n".join(rows)), good, bad))
    return made


def _examples(recipe: str, tokenizer: Any) -> list[Example] | list[Pair]:
    def ids(text: str) -> tuple[int, ...]:
        return tuple(tokenizer.encode(text, add_special_tokens=False))

    end = (tokenizer.eos_token_id,)
    if recipe == "sft":
        return [Example(prompt=ids(q), completion=ids(a) + end) for q, a, _ in texts()]
    return [Pair(prompt=ids(q), chosen=ids(a) + end, rejected=ids(b) + end) for q, a, b in texts()]


class _Clock:
    """Tokens and seconds of the updates that count."""

    def __init__(self) -> None:
        self.tokens: list[float] = []
        self.seconds: list[float] = []

    def begun(self, model: Any, config: TrainConfig) -> None:
        """The clock runs from update to update."""

    def stepped(self, step: int, loss: float, batch: Mapping[str, Any], model: Any) -> None:
        """The figures that follow say it."""

    def measured(self, step: int, figures: Mapping[str, float]) -> None:
        self.tokens.append(figures["tokens"])
        self.seconds.append(figures["seconds"])

    def ended(self, trained: Trained) -> None:
        """Read by the caller."""

    def per_second(self) -> float:
        return sum(self.tokens[UNCOUNTED:]) / sum(self.seconds[UNCOUNTED:])


def _ours(base: Base, tokenizer: Any, config: TrainConfig) -> float:
    from training.recipes.run import train

    clock = _Clock()
    with tempfile.TemporaryDirectory(prefix="agon-bench-") as folder:
        train(
            config,
            base,
            _examples(config.recipe, tokenizer),
            Path(folder),
            observers=[clock],
            device="cpu",
        )
    return clock.per_second()


def _theirs(base: Base, tokenizer: Any, config: TrainConfig) -> float:
    """trl as its documentation uses it, with our knobs, on our examples in our order."""
    import torch
    from peft import LoraConfig
    from transformers.trainer_callback import TrainerCallback

    clock = _Clock()

    class Timed(TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, *said: Any, **more: Any) -> None:
            self.began = time.monotonic()

        def on_step_end(self, *said: Any, **more: Any) -> None:
            clock.seconds.append(time.monotonic() - self.began)

    threads = torch.get_num_threads()
    torch.set_num_threads(config.threads)
    with tempfile.TemporaryDirectory(prefix="agon-bench-") as folder, _quiet():
        trainer = _trl(config, tokenizer)(
            model=bases.load(base, four_bit=config.four_bit),
            args=_trl_arguments(config, folder),
            train_dataset=_trl_data(config, tokenizer),
            processing_class=tokenizer,
            peft_config=LoraConfig(
                r=config.lora.rank,
                lora_alpha=config.lora.alpha,
                target_modules=list(config.lora.targets),
                task_type="CAUSAL_LM",
            ),
            callbacks=[Timed()],
        )
        trainer.train()
    torch.set_num_threads(threads)
    clock.tokens = _tokens_of_updates(config, tokenizer)
    return clock.per_second()


def _trl(config: TrainConfig, tokenizer: Any) -> Any:
    from trl import DPOTrainer, SFTTrainer

    return SFTTrainer if config.recipe == "sft" else DPOTrainer


def _trl_arguments(config: TrainConfig, folder: str) -> Any:
    from trl import DPOConfig, SFTConfig

    kind: Any = SFTConfig if config.recipe == "sft" else DPOConfig
    own: dict[str, Any] = {} if config.recipe == "sft" else {"beta": config.beta}
    return kind(
        output_dir=folder,
        max_steps=config.steps,
        per_device_train_batch_size=config.batch,
        learning_rate=config.learning_rate,
        warmup_steps=round(config.warmup * config.steps),
        lr_scheduler_type="linear",
        optim="adamw_torch",
        bf16=True,
        use_cpu=True,
        gradient_checkpointing=config.save_memory,
        train_sampling_strategy="sequential",
        max_length=config.max_length,
        seed=config.seed,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        **own,
    )


def _drawn(config: TrainConfig, from_: Sequence[Any]) -> list[Any]:
    return [from_[place] for place in Draws(len(from_), config)]


def _trl_data(config: TrainConfig, tokenizer: Any) -> Any:
    """The examples in the order of our draws, as text for dpo, which cannot be given tokens."""
    from datasets import Dataset

    rows: list[dict[str, Any]]
    if config.recipe == "dpo":
        rows = [{"prompt": q, "chosen": a, "rejected": b} for q, a, b in texts()]
        return Dataset.from_list(_drawn(config, rows))
    rows = [
        {
            "input_ids": [*each.prompt, *each.completion],
            "completion_mask": [0] * len(each.prompt) + [1] * len(each.completion),
        }
        for each in _examples("sft", tokenizer)
        if isinstance(each, Example)
    ]
    return Dataset.from_list(_drawn(config, rows))


def _tokens_of_updates(config: TrainConfig, tokenizer: Any) -> list[float]:
    lengths = [
        len(each.prompt) + len(each.completion)
        if isinstance(each, Example)
        else 2 * len(each.prompt) + len(each.chosen) + len(each.rejected)
        for each in _examples(config.recipe, tokenizer)
    ]
    drawn = _drawn(config, lengths)
    return [
        float(sum(drawn[begin : begin + config.batch]))
        for begin in range(0, len(drawn), config.batch)
    ]


@contextmanager
def _quiet() -> Iterator[None]:
    """trl prints figures and bars to standard output, where our lines are JSON."""
    import contextlib
    import io

    import datasets

    datasets.disable_progress_bars()
    with contextlib.redirect_stdout(io.StringIO()):
        yield
