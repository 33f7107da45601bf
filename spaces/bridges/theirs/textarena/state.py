"""A session of a game of TextArena: the seed and what was answered, and nothing else."""

from __future__ import annotations

import msgspec

from spaces.bridges.theirs.textarena.tables import Answers


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A game's own parameters are part of its id."""


class State(msgspec.Struct, frozen=True):
    seed: int
    """Of the game's generators, from the label `textarena`. Secret."""
    answers: Answers = ()
    pending: tuple[str | None, str | None] = (None, None)
    """Sealed answers of this turn, by seat."""
    forfeited: tuple[bool, bool] = (False, False)
    plies: int = 0
    """Turns played; two sealed answers are one."""
