"""How much memory our sft recipe takes on a 7B model in four bits, and how fast it is; on a GPU, in two minutes.

    python -m benchmarks.qlora_memory [--shape qwen2.5-7b] [--batch 8] [--length 512] [--steps 8]

The model has Qwen2.5-7B's shape (or SmolLM2's, to try it on a CPU) and random weights, which cost the same as trained
ones. Peak memory is the training's, from the first update on: building the model takes more here, since its weights
are made in 16 bits. Prints one JSON line a measurement: with hidden states kept, and computed again (`save_memory`).
Needs torch, transformers, peft, trl and bitsandbytes, no weights and no network.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

from training.data.example import Example
from training.model import lora
from training.recipes.config import TrainConfig
from training.recipes.observer import Trained
from training.recipes.same import same

SHAPES: dict[str, dict[str, Any]] = {
    "qwen2.5-7b": {
        "vocab_size": 152_064,
        "hidden_size": 3_584,
        "intermediate_size": 18_944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "rope_theta": 1_000_000.0,
        "tie_word_embeddings": False,
    },
    "tiny": {
        "vocab_size": 4_096,
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "tie_word_embeddings": False,
    },
}
UNCOUNTED = 2
ANSWER = 16
"""Tokens of an answer: a bid in JSON and its end."""


def model_of(shape: str, device: str) -> Any:
    """A Qwen2 with random weights whose linear layers are NF4 with double quantisation, its head and embeddings bf16."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            model = Qwen2ForCausalLM(Qwen2Config(**SHAPES[shape], max_position_embeddings=4_096))
    finally:
        torch.set_default_dtype(before)
    for module in list(model.model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, torch.nn.Linear):
                setattr(module, name, _four_bit(child, device))
    model.requires_grad_(False)
    model.is_loaded_in_4bit = True  # peft asks for it
    return model


def _four_bit(linear: Any, device: str) -> Any:
    import torch
    from bitsandbytes.nn import Linear4bit, Params4bit

    made = Linear4bit(
        linear.in_features,
        linear.out_features,
        bias=linear.bias is not None,
        compute_dtype=torch.bfloat16,
        compress_statistics=True,
        quant_type="nf4",
        device="meta",
    )
    made.weight = Params4bit(
        linear.weight.data, requires_grad=False, compress_statistics=True, quant_type="nf4"
    ).to(device)
    if linear.bias is not None:
        made.bias = torch.nn.Parameter(linear.bias.data, requires_grad=False)
    return made


def tokenizer_of(words: int) -> Any:
    """One that only names its padding: examples come as token ids."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    vocabulary = {f"w{n}": n for n in range(min(words, 100))}
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(vocabulary, unk_token="w0")),
        pad_token="w1",
        eos_token="w2",
    )


class Clock:
    """Seconds and tokens of each update, and when memory begins to count."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.tokens: list[float] = []

    def begun(self, model: Any, config: TrainConfig) -> None:
        import torch

        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()

    def stepped(self, step: int, loss: float, batch: Mapping[str, Any], model: Any) -> None:
        self.loss = loss

    def measured(self, step: int, figures: Mapping[str, float]) -> None:
        self.seconds.append(figures["seconds"])
        self.tokens.append(figures["tokens"])

    def ended(self, trained: Trained) -> None:
        """Not told: the recipe is run without a folder of its own."""


def measure(model: Any, config: TrainConfig, length: int, device: str) -> Clock:
    """Some updates of the recipe on examples of one length."""
    from training.recipes import sft

    rng = random.Random(7)
    words = model.config.vocab_size
    examples = [
        Example(
            prompt=tuple(rng.randrange(3, words) for _ in range(length - ANSWER)),
            completion=tuple(rng.randrange(3, words) for _ in range(ANSWER)),
        )
        for _ in range(2 * config.batch)
    ]
    clock = Clock()
    with tempfile.TemporaryDirectory(prefix="agon-qlora-") as folder, same(config, device):
        trainer = sft.trainer(
            model=lora.fresh(model, config.lora, config.seed),
            tokenizer=tokenizer_of(words),
            config=config,
            examples=examples,
            folder=Path(folder),
            device=device,
            observers=[clock],
        )
        clock.begun(trainer.model, config)
        trainer.train()
        trainer.model.unload()
    return clock


def main() -> None:
    import torch

    asked = argparse.ArgumentParser(description="Memory and speed of a 4-bit recipe.")
    asked.add_argument("--shape", choices=sorted(SHAPES), default="qwen2.5-7b")
    asked.add_argument("--batch", type=int, default=8)
    asked.add_argument("--length", type=int, default=512)
    asked.add_argument("--steps", type=int, default=8)
    args = asked.parse_args()
    on_gpu = torch.cuda.is_available()
    device = "cuda:0" if on_gpu else "cpu"
    for save_memory in (True, False):
        model = model_of(args.shape, device)
        if on_gpu:
            torch.cuda.empty_cache()
        config = TrainConfig(
            steps=args.steps,
            batch=args.batch,
            micro_batch=args.batch,
            save_memory=save_memory,
            checkpoint_every=100_000,
        )
        weights = torch.cuda.memory_allocated() if on_gpu else None
        clock = measure(model, config, args.length, device)
        peak = torch.cuda.max_memory_allocated() if on_gpu else None
        reserved = torch.cuda.max_memory_reserved() if on_gpu else None
        counted = sum(clock.tokens[UNCOUNTED:]) / sum(clock.seconds[UNCOUNTED:])
        print(
            json.dumps(
                {
                    "name": f"qlora_{args.shape}_sft",
                    "save_memory": save_memory,
                    "batch": args.batch,
                    "length": args.length,
                    "rank": config.lora.rank,
                    "weights_gib": _gib(weights),
                    "peak_gib": _gib(peak),
                    "peak_reserved_gib": _gib(reserved),
                    "tokens_per_s": round(counted),
                    "loss": round(clock.loss, 4),
                    "device": torch.cuda.get_device_name() if on_gpu else "cpu",
                    "torch": torch.__version__,
                }
            ),
            flush=True,
        )
        del model, clock
        gc.collect()  # the trainer's cycles hold the model: the next one's memory begins at nothing


def _gib(size: int | None) -> float | None:
    return None if size is None else round(size / 2**30, 2)


if __name__ == "__main__":
    main()
