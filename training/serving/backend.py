"""What the gateway needs of a model's server that can put adapters on its base: llama.cpp, vLLM.

A backend is told of adapters by alias. An alias is of one load of one adapter and is never used again
(`routes`), since servers keep caches by name (vllm#42125) and lose track of one that is unloaded and loaded at once.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from training.documents.adapter import Base

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
GGUF = "adapter.gguf"
FINGERPRINT = "fingerprint.json"
"""Files of an adapter's folder. vLLM and PEFT read the first two, llama.cpp the third, the probe the last."""


class BackendError(RuntimeError):
    """The model's server does not do what it has to; the text says what. Never an agent's fault."""


class Target(msgspec.Struct, frozen=True):
    """Where one request goes."""

    url: str
    """Base URL, ending in `/v1`, on loopback."""
    fields: dict[str, Any]
    """What has to stand in the request's body, whatever its sender wrote there: at least `model`."""
    headers: dict[str, str] = {}
    """E.g. a key that the server wants."""


class Backend(Protocol):
    """One base model and the adapters on it. All methods are of one event loop; each may raise BackendError.

    `load`, `keep` and `unload` are never called at the same time as one another.
    """

    base: Base
    """Adapters of another base are not loaded."""
    capacity: int
    """Adapters that it can have at once."""
    at_once: int
    """Requests that it answers at once; more would queue in it, where nobody sees them."""
    together: int
    """Adapters whose requests it computes in one batch: 1 for llama.cpp, `max_loras` for vLLM."""

    async def start(self) -> None:
        """Return once the base answers. Idempotent."""

    async def close(self) -> None:
        """End what `start` started. Idempotent."""

    async def load(self, alias: str, folder: Path) -> None:
        """Have the adapter of the folder answer as `alias`, to be probed. Whom the server answers meanwhile, and by
        which adapter, is as before. When it raises, nothing is left of the alias."""

    async def keep(self, alias: str) -> None:
        """The alias was proved: from now on it may take the place of what was before it."""

    async def unload(self, alias: str) -> None:
        """Forget it. Idempotent; never called while somebody is `asking` it."""

    async def models(self) -> frozenset[str]:
        """Aliases that the server itself says it has."""

    def asking(
        self, alias: str | None, *, bare: bool = False
    ) -> AbstractAsyncContextManager[Target]:
        """Where to send one request to the alias, None: to the base. While entered, the server behind the target stays.
        `bare`: to the base, on the server that has the alias. Raises BackendError for an alias that it has not, when entered."""
