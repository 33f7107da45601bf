"""The equilibrium of one position: what it is worth and how to bid, for one of the seats.

Sealed bids want chance: whoever bids what can be foreseen is outbid by one, or wins too dear. Values
are of the game in which both seats play on like this, +1 for a win and -1 for a loss (the stake is 1).
"""

from __future__ import annotations

from typing import NamedTuple

from spaces.bid_tac_toe.solver import tables
from spaces.bid_tac_toe.solver.table import Position
from spaces.bid_tac_toe.variants import Params


class Equilibrium(NamedTuple):
    """One seat's view of a position before a pair of bids."""

    value: float
    """The seat's, -1 to 1, rounded to the places that the table has."""
    bids: dict[int, float]
    """The seat's mix: bid to probability; bids that are not listed are never made."""
    rival_bids: dict[int, float]
    gap: float
    """What both seats together could gain by a better bid now."""
    exploitability: float
    """The most that a rival who knows the strategy can win beyond the value of the whole session."""
    measured: bool
    """Whether best responses to the table have measured that; else it is a bound known beforehand."""
    table: str
    """The variant solved, and the hash of its contents."""


def solve(position: Position, params: Params, seat: int = 0) -> Equilibrium:
    """Raises LookupError for a variant without a table (see `tables.NoTable`) and for a position
    that the session's variant does not have."""
    table = tables.find(params)
    if not table.covers(position):
        x, o = position.chips
        raise LookupError(
            f"no bids over {position.board!r} with chips {x} and {o}"
            f" in {table.variant.name}: the session is over, or never has these chips"
        )
    play = table.play(position)
    value = round(play.value, table.digits)
    return Equilibrium(
        value=(value if seat == 0 else -value) + 0.0,  # no -0.0
        bids=play.mixes[seat],
        rival_bids=play.mixes[1 - seat],
        gap=play.gap,
        exploitability=table.exploitability,
        measured=table.measured,
        table=table.name,
    )
