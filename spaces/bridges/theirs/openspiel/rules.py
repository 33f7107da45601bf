"""A game of OpenSpiel step by step: whose move it is, what follows, how it ends.

After each move chance is played out at once: the node whose history has n actions draws from the
label `chance:<n>`. Seats that move at the same time do so sealed, and their moves are one step.
"""

from __future__ import annotations

import msgspec

from spaces.bridges.theirs.openspiel import chance, payoffs
from spaces.bridges.theirs.openspiel.answers import Move, number_of
from spaces.bridges.theirs.openspiel.games import Game
from spaces.bridges.theirs.openspiel.positions import History, Position, position_of, step_from
from spaces.bridges.theirs.openspiel.state import State
from spaces.seed import Streams
from spaces.space import IllegalAction, Outcome

MAX_MOVES = 1_000
"""Moves of all seats together after which a session is cut off as it stands: its transcript and log
must stay within their bounds (1 MiB, 4,096 events)."""
_NOBODY = -1
"""In a simultaneous step, the move of a seat that has none (pyspiel.INVALID_ACTION)."""


def initial(game: Game, streams: Streams) -> State:
    history = _through_chance(game, (), position_of(game, ()), streams)
    return State(history, (None,) * game.seats, (False,) * game.seats)


def outcome(game: Game, state: State) -> Outcome | None:
    if any(state.forfeited):
        return Outcome("forfeit", payoffs.of_forfeit(game, state.forfeited))
    now, deeds = position_of(game, state.history)
    if now.is_terminal():
        return Outcome("complete", payoffs.of_play(game, now.returns()))
    if len(deeds) >= MAX_MOVES:
        return Outcome("ply-limit", payoffs.of_cut(game, now.returns()))
    return None


def open_seats(game: Game, state: State) -> tuple[int, ...]:
    """The seats whose decision is open, in order."""
    if outcome(game, state) is not None:
        return ()
    deciding = position_of(game, state.history).deciding()
    return tuple(seat for seat in deciding if state.pending[seat] is None)


def is_sealed(game: Game, state: State) -> bool:
    return bool(position_of(game, state.history).now.is_simultaneous_node())


def apply(game: Game, state: State, seat: int, move: Move, streams: Streams) -> State:
    """Raises IllegalAction."""
    if seat not in open_seats(game, state):
        raise IllegalAction("it is not your move")
    position = position_of(game, state.history)
    number = number_of(move, position.legal(seat))
    if not is_sealed(game, state):
        return _step(game, state, (number,), streams)
    pending = _with(state.pending, seat, number)
    if any(pending[each] is None for each in position.deciding()):
        return msgspec.structs.replace(state, pending=pending)
    step = tuple(_NOBODY if each is None else each for each in pending)
    return _step(game, state, step, streams)


def forfeit(game: Game, state: State, seat: int) -> State:
    """`seat` failed its open decision, which ends the session; another seat's forfeit does not close
    its own. Raises ValueError when the seat owed nothing."""
    played_on = msgspec.structs.replace(state, forfeited=(False,) * game.seats)
    if state.forfeited[seat] or seat not in open_seats(game, played_on):
        raise ValueError(f"seat {seat} owes no decision")
    gone = tuple(was or each == seat for each, was in enumerate(state.forfeited))
    return msgspec.structs.replace(state, forfeited=gone)


def _step(game: Game, state: State, step: History, streams: Streams) -> State:
    history, position = step_from(game, state.history, step)
    history = _through_chance(game, history, position, streams)
    return State(history, (None,) * game.seats, state.forfeited, state.plies + 1)


def _through_chance(game: Game, history: History, position: Position, streams: Streams) -> History:
    while position.now.is_chance_node():
        drawn = chance.draw(position.now.chance_outcomes(), streams, f"chance:{len(history)}")
        history, position = step_from(game, history, (drawn,))
    return history


def _with(pending: tuple[int | None, ...], seat: int, number: int) -> tuple[int | None, ...]:
    return (*pending[:seat], number, *pending[seat + 1 :])
