"""Rounds: decide at once and sealed, watch the candles come in, be flat at the last close.

The stream `window` of the seed is the session's draw: four words, as one number. It picks the window
of a recorded series (by the oracle's rule) and salts the commitment to it.

Of a recorded series all positions open at the last close that was seen; of a live one at the open of
the round's first candle, which nobody has seen when he decides (`Params.gap`). A forfeited decision is
flat for that round. A seat without money has nothing to decide.
"""

from __future__ import annotations

from itertools import islice

from msgspec.structs import replace

from spaces.seed import Streams
from spaces.space import IllegalAction, InvalidObservation, Note, Observation, Outcome
from spaces.trade_wars import market, oracle
from spaces.trade_wars.state import SEATS, Order, Params, Round, State


def initial(params: Params, streams: Streams) -> State:
    draw = 0
    for word in islice(streams.words("window"), 4):
        draw = draw << 64 | word
    return State(params, str(draw))


def owes(state: State, seat: int) -> bool:
    if state.phase != "decide" or state.equity[seat] == 0:
        return False
    return state.given[seat] is None and not state.passed[seat]


def decide(state: State, seat: int, order: Order) -> State:
    """Raises IllegalAction."""
    if not owes(state, seat):
        raise IllegalAction(f"seat {seat} has nothing to decide now")
    check(order)
    given = tuple(order if i == seat else old for i, old in enumerate(state.given))
    return _begin_if_complete(replace(state, given=given))


def check(order: Order) -> None:
    """Raise IllegalAction for an order in another form than the one we write."""
    if order.side == "FLAT" and order.size:
        raise IllegalAction(f"FLAT has size 0, got {order.size}")


def forfeit(state: State, seat: int) -> State:
    """Flat for the next round. Raises ValueError when the seat owed nothing."""
    if not owes(state, seat):
        raise ValueError(f"seat {seat} owes no decision")
    passed = tuple(i == seat or old for i, old in enumerate(state.passed))
    return _begin_if_complete(replace(state, passed=passed))


def _begin_if_complete(state: State) -> State:
    if any(owes(state, seat) for seat in range(SEATS)):
        return state
    entry = state.last_close if state.params.feed == "recorded" else None
    begun = Round(orders=state.given, start=state.equity, entry=entry)
    return replace(
        state, given=(None,) * SEATS, passed=(False,) * SEATS, rounds=(*state.rounds, begun)
    )


def learn(state: State, observation: Observation) -> State:
    """Raises InvalidObservation."""
    match state.phase:
        case "history":
            history, after_ms = oracle.read_history(state, observation)
            return replace(state, history=history, after_ms=after_ms)
        case "candles":
            return _learn_candle(state, observation)
        case "unmask":
            return replace(state, unmasked=oracle.read_unmasked(observation))
        case phase:
            raise InvalidObservation(f"trade-wars: nothing was asked in phase {phase!r}")


def _learn_candle(state: State, observation: Observation) -> State:
    candle, current = oracle.read_candle(observation), state.rounds[-1]
    entry = current.entry or candle.open
    marks = market.marks(current.equity, current.start, current.orders, entry, candle.close)
    marked = replace(current, entry=entry, marks=(*current.marks, marks))
    return replace(state, candles=(*state.candles, candle), rounds=(*state.rounds[:-1], marked))


def outcome(state: State) -> Outcome | None:
    """Returns are what each seat has won or lost, in cents."""
    if state.phase != "over":
        return None
    stake = state.params.stake_cents
    termination = "complete" if len(state.rounds) == state.params.rounds else "bankruptcy"
    return Outcome(termination, tuple(equity - stake for equity in state.equity))


def notes(state: State) -> tuple[Note, ...]:
    """`round`, one for each that is over: who held what from where to where, and what came of it."""
    over = state.rounds[:-1] if state.running else state.rounds
    return tuple(_note(state, number, one) for number, one in enumerate(over, 1))


def _note(state: State, number: int, one: Round) -> Note:
    orders = [
        None if order is None else {"side": order.side, "size": order.size} for order in one.orders
    ]
    body = {
        "round": number,
        "entry": one.entry,
        "exit": state.candles[number * state.params.candles - 1].close,
        "orders": orders,
        "start_cents": list(one.start),
        "end_cents": list(one.equity),
    }
    return Note("round", body)
