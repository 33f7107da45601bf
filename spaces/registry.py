"""All Spaces, by id. A new Space is one line here; the conformance suite then tests it."""

from __future__ import annotations

from typing import Any

from spaces.bid_tac_toe import BidTacToe
from spaces.rap_battle import RapBattle
from spaces.space import Space

_SPACES: tuple[Space[Any, Any, Any], ...] = (BidTacToe(), RapBattle())
_BY_ID = {space.id: space for space in _SPACES}


class UnknownSpace(KeyError):
    """No Space has this id; `str()` names those that exist."""

    def __str__(self) -> str:
        return f"no space {self.args[0]!r}; there are {', '.join(_BY_ID)}"


def get(space_id: str) -> Space[Any, Any, Any]:
    """The Space of an id. Raises UnknownSpace."""
    try:
        return _BY_ID[space_id]
    except KeyError:
        raise UnknownSpace(space_id) from None


def all_spaces() -> tuple[Space[Any, Any, Any], ...]:
    """Every Space, in the order in which clients list them."""
    return _SPACES
