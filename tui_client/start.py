"""What is looked at before the screen is taken: the terminal, the URL, and whether the arena is up."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TextIO

from tui_client.connection import NoArena, WatchError, locate
from tui_client.text import clean

PATIENCE_S = 15.0
"""How long an arena that does not answer may take to boot."""
ASK_AGAIN_S = 0.5


def need_terminal(*streams: TextIO | None) -> None:
    """Raise WatchError unless all of the streams are terminals."""
    if not all(stream is not None and stream.isatty() for stream in streams):
        raise WatchError("agon watch needs a terminal: run it without a pipe or a redirection")


async def wait_for_arena(
    api_url: str, tell: Callable[[str], None], patience_s: float = PATIENCE_S
) -> None:
    """Return when the arena answers; says once, by `tell`, that it has to be waited for.

    Raises WatchError when it does not answer for `patience_s`, and at once for what waiting does
    not mend: a text that is no URL, an answer that is none of an arena.
    """
    loop = asyncio.get_running_loop()
    patient_until = loop.time() + patience_s
    told = False
    while True:
        try:
            await locate(api_url)
        except NoArena:
            if loop.time() + ASK_AGAIN_S >= patient_until:
                raise
        else:
            return
        if not told:
            tell(f"waiting for an arena at {clean(api_url, 200)} …")
            told = True
        await asyncio.sleep(ASK_AGAIN_S)


def say(words: str) -> None:
    """One line on the terminal that the screen is drawn on later."""
    print(words, file=sys.stderr, flush=True)
