"""The order of a round-robin, and what breaks its ties. Pure.

1. points, as a share of the possible ones: games may have been given up, or their number not be
   divisible among all pairs
2. direct encounters: points that the tied ones took off each other (FIDE Handbook C.07, 6)
3. Sonneborn-Berger: the points taken off each opponent, weighed by its share (FIDE Handbook C.07, 9.1)
4. games won (FIDE Handbook C.07, 7.1)
5. the tournament's committed coin, when it is over; before that, ranks are shared, and so are those of
   entrants that have played no game: there is nothing that a coin could decide
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from typing import Any

from server.tournament.coin import drawn
from server.tournament.fixture import Standing
from server.tournament.tally import Tally
from spaces.seed import Streams

Key = Callable[[int], Any]
Named = tuple[str, Callable[[Sequence[int]], Key]]


def ranked(
    tally: Tally, entrants: int, streams: Streams | None, top: int | None = None
) -> list[Standing]:
    """The entrants, best first: the first `top`, or all. `streams` is given when the tournament is over:
    the coin then decides what nothing else does."""
    found: list[Standing] = []
    shares = tally.shares()
    # who has played nothing comes behind who has lost everything
    for group in _split(range(entrants), lambda each: (tally.played[each] > 0, shares[each])):
        if top is not None and len(found) >= top:
            break  # ties of those that are not shown are not broken: it is what takes the time
        for tied, note in _break(tally, group, shares):
            found += _placed(tally, tied, note, len(found) + 1, streams)
    return found[:top]


def _break(
    tally: Tally, group: Sequence[int], shares: Sequence[int]
) -> list[tuple[list[int], str]]:
    """The group in smaller groups, best first, each with what set it apart."""
    if len(group) == 1 or not any(tally.played[each] for each in group):
        return [(list(group), "")]
    rules: list[Named] = [
        ("head-to-head", lambda tied: lambda each: tally.taken(each, tied)),
        ("Sonneborn-Berger", lambda tied: lambda each: tally.worth(each, shares)),
        ("wins", lambda tied: lambda each: tally.wins[each]),
    ]
    parts: list[tuple[list[int], str]] = [(list(group), "")]
    for name, rule in rules:
        split: list[tuple[list[int], str]] = []
        for tied, note in parts:
            pieces = _split(tied, rule(tied)) if len(tied) > 1 else [tied]
            split += [(piece, name if len(pieces) > 1 else note) for piece in pieces]
        parts = split
    return parts


def _split(group: Sequence[int], key: Callable[[int], Hashable]) -> list[list[int]]:
    """By key, largest first; within, in order of seeds."""
    keyed: list[tuple[Any, int]] = sorted(((key(each), -each) for each in group), reverse=True)
    return [[-each for _, each in part] for _, part in groupby(keyed, key=lambda pair: pair[0])]


def _placed(
    tally: Tally, tied: Sequence[int], note: str, rank: int, streams: Streams | None
) -> list[Standing]:
    played = any(tally.played[each] for each in tied)
    if len(tied) == 1 or streams is None or not played:
        return [tally.standing(rank, each, note) for each in tied]
    order = drawn(streams, tied, lambda k: f"rank:{rank}:{len(tied) - k}")
    return [tally.standing(rank + place, each, "coin") for place, each in enumerate(order)]
