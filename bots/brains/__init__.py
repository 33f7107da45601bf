"""What chooses an agent's actions: brains by name, each with settings of its own.

A brain has `act(turn)`, like a `Bot`. `random`, `bidder`, `solver`, `naive` and `trend` need nothing; `llm` needs a model's server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol

import httpx
import msgspec

from bots.brains.bidder import BidderBrain, BidderSettings
from bots.brains.llm import LlmBrain, LlmSettings
from bots.brains.naive import NaiveBrain, NaiveSettings
from bots.brains.random import RandomBrain, RandomSettings
from bots.brains.solver import SolverBrain, SolverSettings
from bots.brains.trend import TrendBrain, TrendSettings
from bots.errors import BotError
from bots.turn import Answer, Turn


class Brain(Protocol):
    def act(self, turn: Turn) -> Awaitable[Answer]: ...


class BadSettings(BotError):
    """A brain or one of its settings is unknown or out of range; the message names it."""


class _Kind(NamedTuple):
    settings: type[Any]
    make: Callable[[Any, asyncio.Semaphore | None, httpx.AsyncClient | None], Brain]
    spaces: tuple[str, ...]
    """None listed: it plays every Space."""


_KINDS: dict[str, _Kind] = {
    "random": _Kind(RandomSettings, lambda s, *_: RandomBrain(s), ()),
    "bidder": _Kind(BidderSettings, lambda s, *_: BidderBrain(s), ("bid-tac-toe",)),
    "solver": _Kind(SolverSettings, lambda s, *_: SolverBrain(s), ("bid-tac-toe",)),
    "naive": _Kind(NaiveSettings, lambda s, *_: NaiveBrain(s), ("prediction",)),
    "trend": _Kind(TrendSettings, lambda s, *_: TrendBrain(s), ("trade-wars",)),
    "llm": _Kind(LlmSettings, LlmBrain, ()),
}


def names() -> tuple[str, ...]:
    """Every brain's name."""
    return tuple(_KINDS)


def playing() -> dict[str, tuple[str, ...]]:
    """Every brain's name, and the Spaces that it plays; none listed: every Space."""
    return {name: kind.spaces for name, kind in _KINDS.items()}


def make(
    name: str,
    space: str,
    settings: Mapping[str, Any] | None = None,
    limit: asyncio.Semaphore | None = None,
    http: httpx.AsyncClient | None = None,
) -> Brain:
    """The brain called `name` for a Space; `limit` bounds calls of models, which go through `http` where it
    is given. Raises BadSettings."""
    kind = _KINDS.get(name)
    if kind is None:
        raise BadSettings(f"no brain {name!r}; there are {', '.join(_KINDS)}")
    if kind.spaces and space not in kind.spaces:
        raise BadSettings(f"the {name} brain plays {', '.join(kind.spaces)}, not {space!r}")
    try:
        return kind.make(
            msgspec.convert(dict(settings or {}), kind.settings, strict=False), limit, http
        )
    except msgspec.ValidationError as error:
        raise BadSettings(f"the {name} brain: {error}") from None
