"""What a session is worth to each seat, in thousandths of the game's own unit.

Returns are doubles; each is rounded to a thousandth (half to even). Where the game's returns add up
to a constant, the rounding's remainder goes to the seat with the largest return in size, the lowest
of equals, so that they still do.

Who forfeits gets the least that the game can give. The others get what is left where the sum is
constant, in equal parts and the remainder to the lowest seats; where everybody's interest is the same
they fail together; in all other games they get the most that the game can give, so that nobody gains
over them by leaving. When every seat forfeits in the same turn nobody is more to blame: all get an
equal part of a constant sum, else the least.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spaces.bridges.theirs.openspiel.games import Game

MILLI = 1_000

Returns = tuple[int, ...]


def thousandths(value: float) -> int:
    return round(value * MILLI)


def of_play(game: Game, returns: Sequence[float]) -> Returns:
    """Of a session that was played out, or cut off."""
    whole = [thousandths(each) for each in returns]
    if game.total is not None:
        largest = max(range(len(whole)), key=lambda seat: abs(whole[seat]))
        whole[largest] += thousandths(game.total) - sum(whole)
    return tuple(whole)


def of_cut(game: Game, returns: Sequence[float]) -> Returns:
    """Of a session that reached the limit of moves: what stood then, or a shared constant sum."""
    total = None if game.total is None else thousandths(game.total)
    if total and sum(thousandths(each) for each in returns) != total:
        return tuple(shares(total, len(returns)))
    return of_play(game, returns)


def of_forfeit(game: Game, forfeited: Sequence[bool]) -> Returns:
    """Of a session that the marked seats, at least one, forfeited."""
    least, most = thousandths(game.rules.min_utility()), thousandths(game.rules.max_utility())
    total = None if game.total is None else thousandths(game.total)
    if all(forfeited):
        return tuple(
            shares(total, len(forfeited)) if total is not None else [least] * len(forfeited)
        )
    stayed = len(forfeited) - sum(forfeited)
    if total is not None:
        others = iter(shares(total - least * sum(forfeited), stayed))
    else:
        others = iter([least if _one_interest(game) else most] * stayed)
    return tuple(least if gone else next(others) for gone in forfeited)


def shares(total: int, parts: int) -> list[int]:
    """Equal whole parts of a sum; the remainder goes to the first."""
    each, rest = divmod(total, parts)
    return [each + (1 if part < rest else 0) for part in range(parts)]


def _one_interest(game: Game) -> bool:
    kind: Any = game.rules.get_type().utility
    return bool(kind.name == "IDENTICAL")
