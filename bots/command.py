"""`agon bot`: play a brain from the shelf from this terminal."""

from __future__ import annotations

from typing import Any

from bots.brains import make
from bots.hosted import BrainBot
from bots.play import run


def play_brain(
    *, space: str, brain: str, name: str, sessions: int, url: str, settings: dict[str, Any]
) -> None:
    """Play `sessions` (0: until Ctrl-C) and return. `settings` are the brain's; empty ones are left out.

    Raises BadSettings; what goes wrong while playing ends the program as `bots.run` says.
    """
    given = {key: value for key, value in settings.items() if value}
    bot = BrainBot(make(brain, space, given))
    run(bot, space=space, name=name or brain.capitalize(), sessions=sessions or None, url=url)
