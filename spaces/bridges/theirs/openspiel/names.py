"""What a game of OpenSpiel is called here.

OpenSpiel writes `go(board_size=9,komi=6.5)`; an id on the wire has neither brackets nor commas, so
ours is `openspiel:go:board_size-9:komi-6.5`. Both are read; a Space's own id is of the second kind,
with the parameters in alphabetical order and without those that have their default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

PREFIX = "openspiel"
MAX_NAME = 38
"""Characters; with the prefix and the version of the rules it fits the 64 of the store's columns."""

_GAME = re.compile(r"[a-z0-9][a-z0-9_]{0,47}")
_KEY = re.compile(r"[a-z0-9_]{1,32}", re.IGNORECASE)
_VALUE = re.compile(r"-?[a-z0-9._]{1,32}", re.IGNORECASE)
_THEIRS = re.compile(r"(?P<game>[^()]*)\((?P<params>[^()]*)\)")


class BadName(ValueError):
    """The text names no game; the message says how names are written."""


class Name(NamedTuple):
    """A game and its parameters as they were written."""

    game: str
    params: Mapping[str, str]

    def __str__(self) -> str:
        return ":".join([self.game, *(f"{key}-{self.params[key]}" for key in sorted(self.params))])


def read(text: str) -> Name:
    """A name in either form. Raises BadName."""
    if len(text) > 2 * MAX_NAME:
        raise BadName("a game's name is longer than an id may be")
    theirs = _THEIRS.fullmatch(text)
    if theirs is not None:
        game, separator = theirs["game"], "="
        parts = theirs["params"].split(",") if theirs["params"] else []
    else:
        game, *parts = text.split(":")
        separator = "-"
    if not _GAME.fullmatch(game):
        raise BadName(f"no game's name: {game[:40]!a}")
    return Name(game, dict(_param(part, separator) for part in parts))


def _param(part: str, separator: str) -> tuple[str, str]:
    key, _, value = part.strip().partition(separator)
    if not (_KEY.fullmatch(key) and _VALUE.fullmatch(value)):
        raise BadName(f"a parameter is `key-value`, got {part[:40]!a}")
    return key, value
