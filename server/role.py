"""What a process may do, and what everything that does it has in common."""

from __future__ import annotations

import enum
from typing import Protocol


class Role(enum.StrEnum):
    """What a process does; see DESIGN, section 2."""

    API = "api"
    GATEWAY = "gateway"
    HOST = "host"
    MATCHMAKER = "matchmaker"
    WORKER = "worker"
    RUNNER = "runner"
    TRAINER = "trainer"
    """Trains agents; only where it is named, or has slots and the extra is installed (`server.training.composing`)."""
    MODELS = "models"
    """The model gateway by itself, for runners elsewhere; only where it is named: a runner has its own."""


class Running(Protocol):
    """A role at work: `run` serves until `drain` or cancelled; `drain` hands over what it holds."""

    async def run(self) -> None: ...

    async def drain(self) -> object: ...
