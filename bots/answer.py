"""Calling the author's code: sync or async, and what happens when it raises.

An exception in `act` is shown with its traceback, and `act` is called again with the same turn, up
to CALLS times while there is time. After that the decision is left to its deadline: the arena then
reports the fault, gives the one retry it gives to everybody, and `act` is called anew with
`turn.attempt == 2`. Nothing is answered in the author's name. An exception in a hook is shown.
"""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from bots.errors import HostFault
from bots.journal import Say, indented
from bots.threads import in_thread
from bots.turn import Answer, Turn

CALLS = 3
"""Calls of `act` for one attempt, when each raises."""
PAUSE_S = (1.0, 3.0)
"""Before the second and the third call: what failed may be a model or a network that is back soon."""
ABANDON_S = 2.0
"""After a HostFault, `act` is not called again this shortly before the deadline: there must be time to
tell the arena."""
TEXT_CHARS = 16_384
"""The longest answer (`server.protocol.Text`)."""


class ActFailed(Exception):
    """`act` has raised for the last time, or there is no time to call it again; the cause is what it
    raised."""

    @property
    def public_reason(self) -> str:
        """What everybody may know of the cause."""
        cause = self.__cause__
        return cause.public_reason if isinstance(cause, HostFault) else "its program failed"


class Calls:
    """Calls one bot's methods."""

    def __init__(self, act: Callable[[Turn], Answer | Awaitable[Answer]], say: Say) -> None:
        self._act = act
        self._say = say

    async def answer(self, turn: Turn) -> str:
        """The text to submit. Raises ActFailed; cancelling abandons a sync `act` in its thread."""
        for pause in (*PAUSE_S, None):
            try:
                return text_of(await self._call(self._act, turn))
            except Exception as error:  # the author's code may raise anything
                self._show(f"act raised for {turn.kind} in {turn.session}", error)
                failure = error
            kept_s = ABANDON_S if isinstance(failure, HostFault) else 0.0
            if pause is None or turn.time_left_s <= pause + kept_s:
                break
            await asyncio.sleep(pause)
            turn.restart()
        raise ActFailed("act raised; the arena's deadline decides") from failure

    async def hook(self, hook: Callable[[Any], Any], argument: Any) -> None:
        """Call a hook to its end; never raises."""
        try:
            await self._call(hook, argument)
        except Exception as error:
            self._show(f"{getattr(hook, '__name__', 'a hook')} raised", error)

    async def _call(self, function: Callable[[Any], Any], argument: Any) -> Any:
        if inspect.iscoroutinefunction(function):
            return await function(argument)
        value = await in_thread(function, argument)
        return await value if inspect.isawaitable(value) else value

    def _show(self, what: str, error: Exception) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename not in _OURS]
        lines = traceback.format_list(own) + traceback.format_exception_only(error)
        self._say(f"{what}:\n{indented(''.join(lines))}")


_OURS = frozenset({__file__, inspect.getfile(in_thread)})


def text_of(answer: Answer) -> str:
    """What `act` returned, as text. Raises TypeError or ValueError, worded for the author."""
    if isinstance(answer, dict):
        answer = msgspec.json.encode(answer).decode()
    if not isinstance(answer, str):
        raise TypeError(f"act must return a str or a dict, got {answer!r:.80}")
    if len(answer) > TEXT_CHARS:
        raise ValueError(f"act returned {len(answer)} characters; at most {TEXT_CHARS} are taken")
    # Lone surrogates (from broken decoding) cannot travel as UTF-8.
    return answer.encode("utf-8", "replace").decode()
