"""What an author writes: a subclass of `Bot`, or a function."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import ClassVar

from bots.turn import Answer, Result, Turn
from server.protocol import SessionView

Act = Callable[[Turn], Answer | Awaitable[Answer]]


class Bot:
    """A contestant. Override `act`; the hooks are optional. All may be sync or `async`.

    Sync methods run in a thread, so they may block. Exceptions in any of them are shown with their
    traceback and never end the bot (`docs/bots.md`, "When your code fails").
    """

    space: ClassVar[str] = "bid-tac-toe"
    name: ClassVar[str] = ""
    """Empty: the class's name."""

    def act(self, turn: Turn) -> Answer | Awaitable[Answer]:
        """Decide. Return text, or a dict that is sent as JSON."""
        raise NotImplementedError(f"{type(self).__name__} must define act(self, turn)")

    def on_seated(self, view: SessionView) -> Awaitable[None] | None:
        """A session of yours is on."""

    def on_update(self, view: SessionView) -> Awaitable[None] | None:
        """A session of yours moved on. Called in order; a slow hook is called late, never skipped."""

    def on_end(self, result: Result) -> Awaitable[None] | None:
        """A session of yours is over. Where judges decide, their verdict comes later."""

    def on_verdict(self, result: Result) -> Awaitable[None] | None:
        """The judges have decided a session of yours; `result.verdict` is theirs."""

    async def close(self) -> None:
        """Called once, when the bot plays no more, also after an error: release what it holds."""


class _Async(Bot):
    def __init__(self, act: Callable[[Turn], Awaitable[Answer]]) -> None:
        self._act = act

    async def act(self, turn: Turn) -> Answer:
        return await self._act(turn)


class _Sync(Bot):
    def __init__(self, act: Act) -> None:
        self._act = act

    def act(self, turn: Turn) -> Answer | Awaitable[Answer]:
        return self._act(turn)


def make_bot(bot: Bot | type[Bot] | Act) -> Bot:
    """A bot from a Bot, a subclass of it, or a function."""
    if isinstance(bot, Bot):
        return bot
    if inspect.isclass(bot):
        contestant = bot()
        assert isinstance(contestant, Bot), f"{bot.__name__} is not a subclass of Bot"
        return contestant
    return _Async(bot) if inspect.iscoroutinefunction(bot) else _Sync(bot)


def name_of(bot: Bot | type[Bot] | Act) -> str:
    """What a bot is called when nobody says otherwise."""
    if isinstance(bot, Bot):
        return bot.name or type(bot).__name__
    name: str = getattr(bot, "name", "") or getattr(bot, "__name__", type(bot).__name__)
    return name
