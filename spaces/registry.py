"""All Spaces, by id. A new Space is one line here; the conformance suite then tests it.

Besides those of `_SPACES` there are the games of other projects, behind bridges: their ids begin with
the bridge's name and a colon (`openspiel:kuhn_poker`) and are resolved when they are first asked for,
so that nobody pays for a library whose games he does not play. An arena offers the Spaces of
`offered()`; `register` adds to them.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from spaces.bid_tac_toe import BidTacToe
from spaces.logic import Logic
from spaces.prediction import Prediction
from spaces.rap_battle import RapBattle
from spaces.space import Space
from spaces.trade_wars import TradeWars
from spaces.writing import Writing

_SPACES: tuple[Space[Any, Any, Any], ...] = (
    BidTacToe(),
    RapBattle(),
    Writing(),
    Logic(),
    Prediction(),
    TradeWars(),
)
_BY_ID = {space.id: space for space in _SPACES}

_BRIDGES = {
    "openspiel": "spaces.bridges.theirs.openspiel",
    "textarena": "spaces.bridges.theirs.textarena",
}
"""Prefix of an id -> the module whose `resolve(name)` makes the Space of `prefix:name`."""

MAX_ID = 64
"""Characters of an id on the wire (`server.protocol.SpaceId`)."""

_registered: dict[str, Space[Any, Any, Any]] = {}
_withdrawn: set[str] = set()


class UnknownSpace(KeyError):
    """No Space has this id; `str()` names those that exist, or says why a bridge has none."""

    def __init__(self, space_id: str, why: str = "") -> None:
        super().__init__(space_id)
        self.why = why

    def __str__(self) -> str:
        return self.why or f"no space {self.args[0]!r}; there are {', '.join(_BY_ID)}"


def get(space_id: str) -> Space[Any, Any, Any]:
    """The Space of an id, through a bridge if need be. Raises UnknownSpace.

    Resolving may load a large library: for ids that strangers send there is `get_offered`.
    """
    space = _BY_ID.get(space_id) or _registered.get(space_id)
    if space is not None:
        return space
    bridge, colon, name = space_id.partition(":")
    if not colon or bridge not in _BRIDGES:
        raise UnknownSpace(space_id[:MAX_ID])
    resolved: Space[Any, Any, Any] = importlib.import_module(_BRIDGES[bridge]).resolve(name)
    return resolved


def get_known(space_id: str) -> Space[Any, Any, Any]:
    """The Space of an id that is our own or was offered in this process: a transcript, which anybody may
    have written, is replayed by these and no others. Never loads anything. Raises UnknownSpace.

    A Space that was withdrawn is still among them.
    """
    space = _BY_ID.get(space_id) or _registered.get(space_id)
    if space is not None:
        return space
    if space_id.partition(":")[0] in _BRIDGES and ":" in space_id:
        raise UnknownSpace(
            space_id[:MAX_ID],
            f"{space_id[:MAX_ID]!a} is a game of another project, which is not offered here;"
            " name it in AGON_SPACES, or by --bridge ID",
        )
    raise UnknownSpace(space_id[:MAX_ID])


def all_spaces() -> tuple[Space[Any, Any, Any], ...]:
    """Every Space of our own, in the order in which clients list them."""
    return _SPACES


def register(space: Space[Any, Any, Any]) -> None:
    """Offer one more Space in this process: `register(OpenSpielSpace("kuhn_poker"))`.

    Doing it again is harmless. Raises ValueError where another Space has the id.
    """
    known = _BY_ID.get(space.id) or _registered.get(space.id)
    if known is not None and known.rules != space.rules:
        raise ValueError(f"space id {space.id!r} is taken")
    if known is None:
        _registered[space.id] = space


def offer(space_ids: Iterable[str]) -> None:
    """Register the Spaces of these ids, as an operator lists them; blank ones are skipped.

    Raises UnknownSpace, which says why a bridge has none, and ValueError for an id that is taken.
    """
    for space_id in filter(None, map(str.strip, space_ids)):
        register(get(space_id))


def withdraw(space_id: str) -> None:
    """Offer it no longer in this process, e.g. since a library that it needs is missing."""
    _withdrawn.add(space_id)


def offered() -> tuple[Space[Any, Any, Any], ...]:
    """What an arena in this process offers: our own, then the registered ones, less the withdrawn."""
    return tuple(space for space in (*_SPACES, *_registered.values()) if space.id not in _withdrawn)


def get_offered(space_id: str) -> Space[Any, Any, Any]:
    """The Space of an id among `offered()`; never loads anything. Raises UnknownSpace."""
    space = _BY_ID.get(space_id) or _registered.get(space_id)
    if space is None or space_id in _withdrawn:
        raise UnknownSpace(space_id[:MAX_ID])
    return space
