"""Games of other projects for a brain: their library is loaded for what its owner named, and only then."""

from __future__ import annotations

from bots.errors import BotError
from spaces import registry


def offer(space: str, brain: str) -> str:
    """Let `brain` read the rules of `space` if it is a bridged game; others are known already.

    Returns the id by which arenas know it, of which `space` may be any spelling. Raises BotError where
    the game cannot be had, unless the brain can do with the arena's words alone.
    """
    if ":" not in space:
        return space
    try:
        registry.offer([space])
        return registry.get(space).id
    except (registry.UnknownSpace, ValueError) as error:
        if brain != "llm":
            raise BotError(str(error)) from None
        return space
