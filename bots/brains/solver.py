"""Bid Tac Toe by the book: bids drawn from the equilibrium's mix, marks where the value is best.

What a rival who knows all of it can win beyond the value of the session is in
`docs/bid-tac-toe-theory.md`; `python -m spaces.bid_tac_toe.solver certificate` measures it.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from bots.errors import BotError
from bots.turn import Turn
from spaces.bid_tac_toe.variants import Params

if TYPE_CHECKING:
    from spaces.bid_tac_toe.solver.table import Position, Table


class CannotSolve(BotError):
    """The session's variant has no table; the message names the command that builds it."""


class SolverSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seed: int | None = None
    """None: other bids every time, as it should be against people who can read seeds."""


class SolverBrain:
    """Plays `bid-tac-toe` in every variant that has a table, or is small enough to need none."""

    def __init__(self, settings: SolverSettings) -> None:
        self._rng = Random(settings.seed)  # noqa: S311 # play, not secrets
        self._tables: dict[Params, Table] = {}

    async def act(self, turn: Turn) -> dict[str, Any]:
        """Raises CannotSolve, and NotImplementedError for other Spaces' decisions."""
        if turn.kind not in ("bid", "mark"):
            raise NotImplementedError(f"the solver knows no {turn.kind!r} of {turn.space}")
        table = await self._table(_params(turn.view))
        position = _position(turn.view)
        if turn.kind == "mark":
            return {"cell": table.best_cell(position, turn.seat)}
        mix = table.play(position).mixes[turn.seat]
        return {"bid": self._rng.choices(list(mix), weights=list(mix.values()))[0]}

    async def _table(self, params: Params) -> Table:
        """Found once: reading or solving takes up to some seconds, in a thread."""
        if params not in self._tables:
            self._tables[params] = await asyncio.to_thread(find_table, params)
        return self._tables[params]


def find_table(params: Params) -> Table:
    """The table of a variant. Blocks, some seconds at most. Raises CannotSolve."""
    # Only who plays by tables pays for importing what reads them.
    from spaces.bid_tac_toe.solver import table_file, tables

    try:
        return tables.find(params)
    except tables.NoTable as error:
        raise CannotSolve(str(error)) from None
    except (table_file.BadTable, OSError) as error:
        raise CannotSolve(f"the table of bid-tac-toe cannot be read: {error}") from None


def _params(view: dict[str, Any]) -> Params:
    return Params(
        payment=view["payment"],
        ties=view["ties"],
        chips=view["start_chips"],
        decided_by=view["decided_by"],
    )


def _position(view: dict[str, Any]) -> Position:
    from spaces.bid_tac_toe.solver.table import Position

    x, o = view["chips"]
    tied = [past for past in view["log"] if past["ply"] == view["ply"] and past["winner"] is None]
    return Position(view["board"], (x, o), view["advantage"], len(tied))
