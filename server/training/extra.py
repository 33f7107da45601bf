"""Whether this process may train: slots and the extra. Imports nothing of the extra."""

from __future__ import annotations

import importlib.util

from server.config import Config, ConfigError

NEEDED = ("torch", "transformers", "peft", "trl", "bitsandbytes", "gguf")


def installed() -> bool:
    """Whether the extra is there."""
    return all(importlib.util.find_spec(name) is not None for name in NEEDED)


def by_default(config: Config) -> bool:
    """Whether `agon serve` without --role has the trainer, too."""
    return slots(config) > 0 and installed()


def slots(config: Config) -> int:
    """Trainings at once."""
    return config.training_cpu_slots + config.training_gpu_slots


def check() -> None:
    """Raises ConfigError where the extra is not installed."""
    if not installed():
        raise ConfigError(
            "the role trainer needs what trains: pip install 'agon-arena[training]', in a checkout `make training`"
        )
