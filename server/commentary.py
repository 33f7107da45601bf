"""What the arena says of an ended session beyond its rules, by Space: annotations of the transcript."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spaces.bid_tac_toe import BidTacToe


def _regret(state: Any) -> dict[str, Any]:
    from spaces.bid_tac_toe.solver import regret  # loads numpy and a table

    return {"kind": "regret", **regret.annotate(state)}


_COMMENTATORS: Mapping[str, Callable[[Any], dict[str, Any]]] = {BidTacToe.id: _regret}


async def annotate(space: str, state: Any) -> Sequence[dict[str, Any]]:
    """The annotations of a session that ended in `state`; computed in a thread. Raises what the
    commentator raises, which costs the session nothing but its comment."""
    commentator = _COMMENTATORS.get(space)
    if commentator is None:
        return ()
    return (await asyncio.to_thread(commentator, state),)
