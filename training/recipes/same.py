"""The same numbers from the same run: fixed threads, seeded chance, algorithms that add up in one order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from training.recipes.config import TrainConfig


@contextmanager
def same(config: TrainConfig, device: str) -> Iterator[None]:
    """Within it, a run on a CPU is a function of its inputs to the bit; on CUDA, as far as its kernels allow."""
    import torch
    from transformers import set_seed

    threads = torch.get_num_threads()
    exact = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    if device != "cpu":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(config.threads)
    torch.use_deterministic_algorithms(True, warn_only=device != "cpu")
    set_seed(config.seed)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(exact, warn_only=warns)
