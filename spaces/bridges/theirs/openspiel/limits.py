"""How large the parameters of a game may be that an id sets.

OpenSpiel checks few of them: a board of 200 rows, or of none, is a crash of the process, a pile of
10^8 stones a loop that nobody awaits. So every number of an id is bounded before the library is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LARGEST = 64
"""Of a number in an id, unless the library's default is larger."""

_NUMBER = re.compile(r"[0-9]+")

_SMALLER: Mapping[tuple[str, str], int] = {
    # all ways to spread the coins over the fields are listed when the game is made
    ("blotto", "coins"): 20,
    ("blotto", "fields"): 5,
    # a seat that is not there is read from memory that is not the game's
    ("leduc_poker", "starting_player"): 1,
}
"""Game and parameter -> a bound below LARGEST, where the library fails earlier."""

_UNCHECKED = frozenset({"universal_poker"})
"""Games of which an id sets nothing: their parameters depend on each other, and a wrong set of them is
a crash of the process."""


class TooLarge(ValueError):
    """A parameter is out of bounds; the message says which and what they are."""


def check(game: str, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Whether the values of a game's parameters are within bounds. Raises TooLarge."""
    if values and game in _UNCHECKED:
        raise TooLarge(f"{game} takes no parameters in an id: the library does not check them")
    for key, value in values.items():
        known = _numbers(defaults[key])
        # A count that the library gives as positive is no number at all when it is zero.
        floor = 1 if isinstance(defaults[key], int) else 0
        least = min(floor, *known) if known else 0
        most = max(_SMALLER.get((game, key), LARGEST), *known, 0)
        if not all(least <= number <= most for number in _numbers(value)):
            raise TooLarge(f"{game}'s {key} is {least:g} to {most:g} in an id")


def _numbers(value: Any) -> list[float]:
    """Those of a parameter; of a text, those that stand in it (`1;3;5;7`)."""
    if isinstance(value, bool):
        return []
    if isinstance(value, str):
        return [float(each) for each in _NUMBER.findall(value)]
    return [value]
