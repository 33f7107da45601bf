"""Which Spaces keep time: the actions of theirs say how long they took."""

from __future__ import annotations

from typing import Any

from spaces.space import Space


def keeps_time(space: Space[Any, Any, Any]) -> bool:
    """Whether the Space stamps actions.

    If so, the body of each action has `elapsed_ms`, and the stamped action must be what `stamp` makes
    of it: stamping anew replaces an older stamp.
    """
    return type(space).stamp is not Space.stamp
