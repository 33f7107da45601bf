"""What each seat of a session gave away, measured against equilibrium.

The regret of a bid is the value of the position to the seat less what its bid was worth against the
rival's equilibrium mix; a bid of the mix has none, whatever it won. The regret of a mark is the value
of the best cell less that of the chosen one. A seat that forfeits gives away all that it still had:
the value of the position (of the best cell, where a mark was owed) less that of a lost session, or of
a draw where both forfeit. All are in thousandths of the stake (a win is worth 1,000 more than a draw),
and none depends on luck.
"""

from __future__ import annotations

from typing import Any

from spaces.bid_tac_toe import rules
from spaces.bid_tac_toe.solver import tables
from spaces.bid_tac_toe.solver.table import Position, Table
from spaces.bid_tac_toe.state import CELLS, EMPTY, MARKS, Round, State
from spaces.bid_tac_toe.variants import Payment

_MILLI = 1_000


def annotate(state: State) -> dict[str, Any]:
    """JSON without floats: `table` (variant and hash), `plies` (one for each pair of revealed bids, the
    value being X's before them), `mean_regret_milli` (of both seats, bids and marks together, over
    `plies`); or `unavailable` with the reason.

    A forfeit is one more of `plies`, with `forfeit`, the seats that it is of: what they gave away stands
    as the regret of the bid or of the mark that they owed.

    The first call for a variant reads its table or solves it, up to some seconds; later ones take
    milliseconds.
    """
    try:
        table = tables.find(state.params)
    except (tables.NoTable, OSError) as error:
        return {"unavailable": str(error)}
    return measure(state, table)


def measure(state: State, table: Table) -> dict[str, Any]:
    """`annotate` by a given table of the session's variant."""
    plies: list[dict[str, Any]] = []
    sums = [0.0, 0.0]
    for position, past in _rounds(state):
        x_values, o_values = table.bid_values(position)
        value = table.play(position).value
        regrets = [
            max(0.0, value - float(x_values[past.bids[0]])),
            max(0.0, float(o_values[past.bids[1]]) - value),
        ]
        marked = _mark_regret(table, state.params.payment, position, past)
        plies.append(
            {
                "ply": past.ply,
                "bid_regret_milli": [round(regret * _MILLI) for regret in regrets],
                "mark_regret_milli": None if marked is None else round(marked * _MILLI),
                "value_milli": round(value * _MILLI),
            }
        )
        for seat in (0, 1):
            sums[seat] += regrets[seat]
        if past.winner is not None:
            sums[past.winner] += marked or 0.0
    if any(state.forfeited):
        plies.append(_forfeit(state, table, sums))
    means = [round(each / max(1, len(plies)) * _MILLI) for each in sums]
    return {"table": table.name, "plies": plies, "mean_regret_milli": means}


def _forfeit(state: State, table: Table, sums: list[float]) -> dict[str, Any]:
    """The decision that was forfeited, as a ply of its own; what it cost is added to `sums`."""
    seats = [seat for seat, gone in enumerate(state.forfeited) if gone]
    position = Position(state.board, state.chips, state.advantage, state.rebids)
    marker = state.bid_winner
    if marker is None:
        value = table.value(position)
    else:
        position = position._replace(rebids=0)
        value = table.marked(position, marker, table.best_cell(position, marker))
    returns = rules.WIN[None if len(seats) == 2 else 1 - seats[0]]
    lost = [0.0, 0.0]
    for seat in seats:
        lost[seat] = max(0.0, (value if seat == 0 else -value) - returns[seat])
        sums[seat] += lost[seat]
    milli = [round(each * _MILLI) for each in lost]
    return {
        "ply": state.ply,
        "bid_regret_milli": milli if marker is None else [0, 0],
        "mark_regret_milli": None if marker is None else milli[marker],
        "value_milli": round(value * _MILLI),
        "forfeit": seats,
    }


def _rounds(state: State) -> list[tuple[Position, Round]]:
    """Every pair of revealed bids with the position before it."""
    chips = (state.params.chips, state.params.chips)
    board = EMPTY * CELLS
    passed = sum(past.tie == "chip" for past in state.log)
    advantage = (
        state.advantage if state.advantage is None or passed % 2 == 0 else 1 - state.advantage
    )
    rebids = 0
    rounds = []
    for past in state.log:
        rounds.append((Position(board, chips, advantage, rebids), past))
        if past.winner is None:
            rebids += 1
            continue
        chips, rebids = rules.paid(state.params.payment, chips, past.bids, past.winner), 0
        if past.tie == "chip" and advantage is not None:
            advantage = 1 - advantage
        if past.cell is not None:
            board = board[: past.cell] + MARKS[past.winner] + board[past.cell + 1 :]
    return rounds


def _mark_regret(table: Table, payment: Payment, position: Position, past: Round) -> float | None:
    """None where nothing was marked."""
    if past.winner is None or past.cell is None:
        return None
    advantage = position.advantage
    if past.tie == "chip" and advantage is not None:
        advantage = 1 - advantage
    chips = rules.paid(payment, position.chips, past.bids, past.winner)
    after = Position(position.board, chips, advantage)
    best = table.marked(after, past.winner, table.best_cell(after, past.winner))
    chosen = table.marked(after, past.winner, past.cell)
    return max(0.0, best - chosen if past.winner == 0 else chosen - best)
