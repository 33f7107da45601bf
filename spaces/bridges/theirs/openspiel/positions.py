"""A game's position, rebuilt from its history.

The state of a session is the list of everything that happened, which is small, comparable and plain;
the library's position is derived from it. Positions are kept for a while, so that a session that goes
on costs one step an action; a position that was forgotten is replayed.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

from spaces.bridges.theirs.openspiel.games import Game

KEPT = 512
"""Positions a process keeps: a few hundred bytes each in most games."""

History = tuple[int, ...]
"""Actions in order, those of chance among them; a simultaneous move is one number per seat, and -1
where a seat has none."""
Deed = tuple[int, str]
"""A seat and the library's name of what it did."""


class Position(NamedTuple):
    """Never changed: `then` makes another."""

    now: Any
    """The `pyspiel.State`."""
    deeds: tuple[Deed, ...]
    """What the seats did, in order; without chance."""

    def deciding(self) -> tuple[int, ...]:
        """The seats that owe a move, in order."""
        if self.now.is_terminal() or self.now.is_chance_node():
            return ()
        if self.now.is_simultaneous_node():
            seats = range(self.now.num_players())
            return tuple(seat for seat in seats if self.now.legal_actions(seat))
        return (self.now.current_player(),)

    def legal(self, seat: int) -> list[tuple[int, str]]:
        """Number and name of each legal action of a seat."""
        return [(each, self._name(seat, each)) for each in self.now.legal_actions(seat)]

    def then(self, step: History) -> Position:
        """The position after one step: one action, or one per seat of a simultaneous move."""
        after = self.now.clone()
        if self.now.is_simultaneous_node():
            after.apply_actions(list(step))
            acted = [(seat, action) for seat, action in enumerate(step) if action >= 0]
        else:
            (action,) = step
            after.apply_action(action)
            chance = self.now.is_chance_node()
            acted = [] if chance else [(self.now.current_player(), action)]
        told = tuple((seat, self._name(seat, action)) for seat, action in acted)
        return Position(after, self.deeds + told)

    def _name(self, seat: int, action: int) -> str:
        return str(self.now.action_to_string(seat, action))


_kept: OrderedDict[tuple[str, History], Position] = OrderedDict()


def position_of(game: Game, history: History) -> Position:
    """Where a history leads."""
    key = (game.name, history)
    position = _kept.pop(key, None) or _replayed(game, history)
    _keep(key, position)
    return position


def step_from(game: Game, history: History, step: History) -> tuple[History, Position]:
    """A history that is one step longer, and where it leads."""
    longer, position = history + step, position_of(game, history).then(step)
    _keep((game.name, longer), position)
    return longer, position


def _keep(key: tuple[str, History], position: Position) -> None:
    _kept[key] = position
    while len(_kept) > KEPT:
        _kept.popitem(last=False)


def _replayed(game: Game, history: History) -> Position:
    position, rest = Position(game.rules.new_initial_state(), ()), history
    while rest:
        width = game.seats if position.now.is_simultaneous_node() else 1
        position, rest = position.then(rest[:width]), rest[width:]
    return position
