"""A game's table, rebuilt from the seed and the answers.

The state of a session is only these; tables are kept for a while, so that a session that goes on
costs one step an answer. A table that was forgotten is played again from the start.
"""

from __future__ import annotations

from collections import OrderedDict

from spaces.bridges.theirs.textarena.catalogue import Game
from spaces.bridges.theirs.textarena.table import Table, open_table

KEPT = 128
"""Tables a process keeps; most are some tens of kilobytes."""

Answers = tuple[tuple[int, str], ...]
"""Seat and answer, in the order in which the game was given them."""

_kept: OrderedDict[tuple[str, int, Answers], Table] = OrderedDict()


def table_of(game: Game, seed: int, answers: Answers) -> Table:
    """Where the answers lead. They were all valid when they were given."""
    key = (game.name, seed, answers)
    table = _kept.pop(key, None)
    if table is None:
        table = open_table(game.make, seed)
        for seat, answer in answers:
            table = table.then(seat, answer)
    keep(game, seed, answers, table)
    return table


def keep(game: Game, seed: int, answers: Answers, table: Table) -> None:
    """Remember where the answers lead."""
    _kept[(game.name, seed, answers)] = table
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
