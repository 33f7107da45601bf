"""A game of TextArena step by step: whose turn it is, what follows, how it ends.

TextArena's rewards become thousandths. Its allowance of errors is the arena's: an invalid move is an
illegal action, and who fails twice forfeits, which costs what TextArena takes for it: one unit.
"""

from __future__ import annotations

import msgspec

from spaces.bridges.theirs.textarena.answers import Answer
from spaces.bridges.theirs.textarena.catalogue import Game
from spaces.bridges.theirs.textarena.state import State
from spaces.bridges.theirs.textarena.table import InvalidMove, Table
from spaces.bridges.theirs.textarena.tables import Answers, keep, table_of
from spaces.seed import Streams
from spaces.space import IllegalAction, Outcome

MAX_PLIES = 500
"""Turns after which a session is cut off as a draw: some of the games have no limit of their own."""
MILLI = 1_000
REASON_CHARS = 160

_FORFEIT = {(True, False): (-MILLI, MILLI), (False, True): (MILLI, -MILLI), (True, True): (0, 0)}


def initial(streams: Streams) -> State:
    return State(streams.below("textarena", 2**32))


def table(game: Game, state: State) -> Table:
    return table_of(game, state.seed, state.answers)


def outcome(game: Game, state: State) -> Outcome | None:
    if any(state.forfeited):
        return Outcome("forfeit", _FORFEIT[state.forfeited])
    now = table(game, state)
    if now.done:
        return Outcome("complete", tuple(round(each * MILLI) for each in now.rewards))
    return Outcome("ply-limit", (0, 0)) if state.plies >= MAX_PLIES else None


def is_sealed(game: Game, state: State) -> bool:
    return game.seals(table(game, state).phase)


def open_seats(game: Game, state: State) -> tuple[int, ...]:
    """The seats whose decision is open, in order."""
    if outcome(game, state) is not None:
        return ()
    if is_sealed(game, state):
        return tuple(seat for seat in (0, 1) if state.pending[seat] is None)
    return (table(game, state).to_act,)


def apply(game: Game, state: State, seat: int, answer: Answer) -> State:
    """Raises IllegalAction."""
    if seat not in open_seats(game, state):
        raise IllegalAction("it is not your turn")
    text = _bracketed(game, answer.text)
    now = table(game, state)
    after = _tried(now, seat, text)
    if not is_sealed(game, state):
        return _advanced(game, state, (*state.answers, (seat, text)), after)
    rival = state.pending[1 - seat]
    if rival is None:
        mine = (text, None) if seat == 0 else (None, text)
        return msgspec.structs.replace(state, pending=mine)
    both = {seat: text, 1 - seat: rival}
    step = tuple((each, both[each]) for each in (now.to_act, 1 - now.to_act))
    for each, words in step:
        now = now if now.done else _tried(now, each, words)
    return _advanced(game, state, (*state.answers, *step), now)


def forfeit(game: Game, state: State, seat: int) -> State:
    """Raises ValueError when the seat owed nothing."""
    played_on = msgspec.structs.replace(state, forfeited=(False, False))
    if state.forfeited[seat] or seat not in open_seats(game, played_on):
        raise ValueError(f"seat {seat} owes no decision")
    one, two = (was or each == seat for each, was in enumerate(state.forfeited))
    return msgspec.structs.replace(state, forfeited=(one, two))


def _advanced(game: Game, state: State, answers: Answers, after: Table) -> State:
    keep(game, state.seed, answers, after)
    return State(state.seed, answers, (None, None), state.forfeited, state.plies + 1)


def _tried(now: Table, seat: int, text: str) -> Table:
    try:
        return now.then(seat, text)
    except InvalidMove as error:
        reason = " ".join(str(error).split()).encode("ascii", "replace").decode()
        raise IllegalAction(f"the game refuses: {reason[:REASON_CHARS]}") from None


def _bracketed(game: Game, text: str) -> str:
    """As TextArena's ActionFormattingWrapper has it."""
    if game.bracketed and "[" not in text and "]" not in text:
        return f"[{text}]"
    return text
