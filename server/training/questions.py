"""How the `llm` brain asks its model, for training: what an agent learns from must be what it is asked. Pure.

A rapper is asked by the brain's own words, every other Space by its own. The help that small models get (a rhyme
sheet, a sheet of a brief's demands) is left out: it is drawn anew at each turn, and no transcript tells
it. A model that is served under an adapter's name is asked without it, too, unless its version says
`rhyme_sheet`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from bots.brains import rap
from spaces import canonical
from spaces.space import Space
from training.chat import Message
from training.trajectory.turn import PlainQuestions


class BrainQuestions:
    """Words of `bots.brains.llm`, without sheets."""

    name = "llm/1"
    """Another number whenever the words change: it stands in every data card."""

    def __init__(self) -> None:
        self._plain = PlainQuestions()

    def ask(
        self, space: Space[Any, Any, Any], state: Any, seat: int, kind: str, system: str
    ) -> Sequence[Message]:
        if space.id != "rap-battle" or kind != "verse":
            return self._plain.ask(space, state, seat, kind, system)
        # As it comes over the wire.
        view = msgspec.json.decode(canonical.encode(space.observe(state, seat)))
        return [Message(each.role, each.content) for each in rap.freely(system, view, seat)]
