"""Many matches of one Space side by side: everything that is open in a tick is asked at once, in one batch for
each player. A run is a function of its arguments and of its players."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spaces.space import Space
from training.play.ask import Ask, Player, Said
from training.play.match import Match
from training.play.played import Played
from training.trajectory.turn import PlainQuestions, Questions

Told = Callable[[int, int], None]
"""Hears how many matches are over, of how many; each time that one is."""


def seeds(purpose: str, count: int, first: int = 0) -> list[bytes]:
    """The matches' seeds of a purpose: another purpose, e.g. `training` or `evaluation`, never has the same."""
    return [
        hashlib.sha256(f"agon-play-seed/{purpose}/{number}".encode()).digest()
        for number in range(first, first + count)
    ]


def play(
    space: Space[Any, Any, Any],
    params: Mapping[str, Any],
    seatings: Sequence[Sequence[str]],
    seeds: Sequence[bytes],
    players: Mapping[str, Player],
    *,
    questions: Questions | None = None,
    told: Told | None = None,
) -> list[Played]:
    """Match i has the players of `seatings[i]` in its seats and the seed `seeds[i]`; they come back in this order.

    Raises InvalidParams, ValueError for a seating that does not fit and for a Space that asks an oracle, and
    whatever a player raises.
    """
    if space.decided_by == "oracle":
        raise ValueError(f"{space.id} asks an oracle; it is played in the arena alone")
    for seating in seatings:
        if len(seating) != space.seats or not set(seating) <= set(players):
            raise ValueError(
                f"{space.id} seats {space.seats} of {sorted(players)}, got {list(seating)}"
            )
    checked = space.params(params)
    copies: Counter[tuple[tuple[str, ...], bytes]] = Counter()
    matches: list[Match] = []
    for seating, seed in zip(map(tuple, seatings), seeds, strict=True):
        copy, copies[seating, seed] = copies[seating, seed], copies[seating, seed] + 1
        matches.append(Match(space, checked, seating, seed, copy, questions or PlainQuestions()))
    live, systems = list(matches), {name: each.system for name, each in players.items()}
    while live:
        _tick(live, players, systems)
        live, before = [each for each in live if each.outcome is None], len(live)
        if told is not None and len(live) < before:
            told(len(matches) - len(live), len(matches))
    return [each.played() for each in matches]


def _tick(live: Sequence[Match], players: Mapping[str, Player], systems: dict[str, str]) -> None:
    """Ask everything before anything is answered, so that no answer of this tick is known to another."""
    asked: dict[str, list[tuple[int, Ask]]] = {}
    for place, match in enumerate(live):
        for ask in match.asks(systems):
            asked.setdefault(match.seating[ask.seat], []).append((place, ask))
    answered: list[list[tuple[Ask, Said]]] = [[] for _ in live]
    for name, batch in asked.items():
        for (place, ask), said in zip(
            batch, players[name].answers([ask for _, ask in batch]), strict=True
        ):
            answered[place].append((ask, said))
    for match, answers in zip(live, answered, strict=True):
        match.take(sorted(answers, key=lambda each: each[0].seat))
