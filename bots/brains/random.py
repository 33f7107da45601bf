"""A baseline: some legal action, uniformly; needs nothing but the observation."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from bots.brains.legal import bid_limit, free_cells
from bots.turn import Turn

_WORDS = (
    "mic", "flow", "crown", "street", "beat", "rhyme", "night", "fire", "gold", "line", "cold",
    "town", "king", "rain", "clock", "dream",
)  # fmt: skip
WORDS_A_LINE = 5


class RandomSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seed: int | None = None
    """None: another game every time."""


class RandomBrain:
    """Knows `bid-tac-toe` and `rap-battle`."""

    def __init__(self, settings: RandomSettings) -> None:
        self._rng = Random(settings.seed)  # noqa: S311 # play, not secrets

    async def act(self, turn: Turn) -> str | dict[str, Any]:
        """Raises NotImplementedError for a kind of decision it does not know."""
        match turn.kind:
            case "bid":
                return {"bid": self._rng.randint(0, bid_limit(turn.view, turn.seat))}
            case "mark":
                return {"cell": self._rng.choice(free_cells(turn.view))}
            case "verse":
                return self._verse(turn.view["bars"], turn.view["char_limit"])
            case kind:
                raise NotImplementedError(f"the random brain knows no {kind!r} of {turn.space}")

    def _verse(self, bars: int, char_limit: int) -> str:
        lines: list[str] = []
        for _ in range(bars):
            line = " ".join(self._rng.choices(_WORDS, k=WORDS_A_LINE))
            if len("\n".join([*lines, line])) > char_limit:
                break
            lines.append(line)
        return "\n".join(lines)
