"""Adapters on the real base for the real vLLM, and what transformers makes of the same: two that are drawn, one that is trained."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from chain.content import unixfs
from training.adapters.names import served_name
from training.chat import Message, completion_ids, prompt_ids
from training.data.example import Example
from training.documents import adapter as documents
from training.model import base as bases
from training.model import lora
from training.recipes.config import LoraShape, TrainConfig
from training.recipes.run import train
from training.serving import probe
from training.serving.backend import WEIGHTS

SHAPE = LoraShape(rank=4, alpha=8, targets=("down_proj", "q_proj", "v_proj"))
STRENGTH = 0.15
"""Of a drawn update: other words than the base's, and still words."""
LESSON = (
    ("How many do you bid?", '{"bid": 17}'),
    ("How many chips do you bid now?", '{"bid": 17}'),
    ("What is your bid?", '{"bid": 17}'),
    ("Name your bid, please.", '{"bid": 17}'),
)
TRAINING = TrainConfig(
    recipe="sft",
    lora=SHAPE,
    steps=6,
    batch=2,
    micro_batch=2,
    learning_rate=1e-2,
    warmup=0,
    max_length=96,
    four_bit=False,
    threads=1,
    checkpoint_every=100,
)


class Makers:
    """The base in this process, with every adapter that was made."""

    def __init__(self, folder: Path) -> None:
        import torch

        torch.set_num_threads(1)
        self._folder = folder
        self.base = bases.find()
        self.document = documents.Base(name=self.base.name, sha256=self.base.sha256)
        self.tokenizer = bases.tokenizer(self.base)
        self._model: Any = bases.load(self.base, four_bit=False)
        self.folders: dict[str, Path] = {}

    def drawn(self, seed: int) -> str:
        """An adapter of chance; its served name."""
        import torch

        folder = self._folder / f"drawn-{seed}"
        adapted = lora.fresh(bases.load(self.base, four_bit=False), SHAPE, seed)
        stream = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, parameter in adapted.named_parameters():
                if "lora_B" in name:
                    noise = torch.randn(parameter.shape, generator=stream) * STRENGTH
                    parameter.copy_(noise)
        lora.save(adapted, folder, self.base)
        return self._named(folder, seed)

    def trained(self) -> str:
        """An adapter that has learned one answer; its served name."""
        examples = [
            Example(
                prompt=prompt_ids([Message("user", question)], self.tokenizer),
                completion=completion_ids(answer, self.tokenizer),
            )
            for question, answer in LESSON
        ]
        run = train(TRAINING, self.base, examples, self._folder / "run", device="cpu")
        return self._named(run.adapter, 9)

    def _named(self, folder: Path, number: int) -> str:
        weights = unixfs.cid_of((folder / WEIGHTS).read_bytes())
        name = served_name("Frost", number, weights)
        self.folders[name] = folder
        if not hasattr(self._model, "peft_config"):
            from peft import PeftModel

            self._model = PeftModel.from_pretrained(
                self._model, str(folder), adapter_name=_key(name)
            )
        else:
            self._model.load_adapter(str(folder), adapter_name=_key(name))
        self._model.eval()
        with self._as(name):
            probe.record(self._model, self.tokenizer, folder, self.document)
        return name

    @contextmanager
    def _as(self, name: str | None) -> Iterator[None]:
        if name is not None:
            self._model.set_adapter(_key(name))
        with self._model.disable_adapter() if name is None else nullcontext():
            yield

    def regret(self, name: str | None, messages: Sequence[Message], said: str) -> float:
        """By how much the likeliest word beats the one that was said, in nats, where that is most: 0 if transformers, with
        the adapter (None: without any), says the same word by word."""
        import torch

        prompt = prompt_ids(messages, self.tokenizer)
        answer = self.tokenizer.encode(said, add_special_tokens=False)
        ids = torch.tensor([[*prompt, *answer]])
        with torch.inference_mode(), self._as(name):
            logits = self._model(ids, logits_to_keep=len(answer) + 1).logits[0, :-1].float()
        logs = logits.log_softmax(-1)
        chosen = logs[torch.arange(len(answer)), torch.tensor(answer)]
        worst = float((logs.max(-1).values - chosen).max())
        assert math.isfinite(worst)
        return worst


def _key(name: str) -> str:
    """As a module's name: without dots."""
    return name.replace(".", "_").replace("@", "_")
