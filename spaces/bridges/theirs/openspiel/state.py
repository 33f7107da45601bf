"""A session of a game of OpenSpiel: everything that happened, and nothing else."""

from __future__ import annotations

import msgspec

from spaces.bridges.theirs.openspiel.positions import History


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A game's own parameters are part of the Space's id."""


class State(msgspec.Struct, frozen=True):
    history: History
    pending: tuple[int | None, ...]
    """Sealed moves of this turn, by seat, where several seats move at once."""
    forfeited: tuple[bool, ...]
    plies: int = 0
    """Turns that the seats have played; chance does not count."""
