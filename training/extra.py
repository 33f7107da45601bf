"""Whether what trains is installed: the arena runs without it."""

from __future__ import annotations

from importlib.util import find_spec

NEEDED = ("torch", "transformers", "peft", "trl", "bitsandbytes", "accelerate", "safetensors")


class MissingExtra(Exception):
    """What trains is not installed; the message says how to."""


def demand() -> None:
    """Raises `MissingExtra` where something is missing. Imports nothing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"training needs {', '.join(missing)}, which are no part of the arena; install what trains (some 1.2 GB): "
            "pip install 'agon-arena[training]', or in a checkout: pip install -e '.[training]'"
        )
