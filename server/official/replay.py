"""Live ratings and leagues, computed again from published results: is every move what the rules say? Pure.

Ratings depend on the order in which sessions were rated, which is not that of their times. So each move says which
of its version's moves it is and what it started from, and here each is made again from there. Between two moves
of a version nothing may happen but the beginning of a season; a first move starts where everybody does, or from
what the rule makes of some standing of an earlier version of the agent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from server import leagues, ratings
from server.leagues import Standing
from server.official.outcomes import Move, Outcome, SeatOutcome, not_counted
from server.ratings import Rating


class Replayed(msgspec.Struct, frozen=True):
    """What was found."""

    sessions: int
    moves: int
    ratings: dict[str, Rating]
    """By version, after its last move."""
    divisions: dict[str, int]
    faults: tuple[str, ...]
    """What the rules do not explain; empty where all is well."""


def replay(outcomes: Sequence[Outcome]) -> Replayed:
    """Of one Space."""
    faults = [fault for each in outcomes for fault in _session_faults(each)]
    chains: dict[str, list[Move]] = defaultdict(list)
    agents: dict[str, list[str]] = defaultdict(list)
    for each in outcomes:
        for seat in each.seats:
            if seat.move is not None:
                if seat.version not in chains:
                    agents[seat.agent].append(seat.version)
                chains[seat.version].append(seat.move)
    for chain in chains.values():
        chain.sort(key=lambda move: move.number)
    for versions in agents.values():
        for version in versions:
            others = [move for other in versions if other != version for move in chains[other]]
            faults += [f"{version}: {fault}" for fault in _chain_faults(chains[version], others)]
    return Replayed(
        sessions=len(outcomes),
        moves=sum(map(len, chains.values())),
        ratings={version: _after(chain[-1]) for version, chain in chains.items()},
        divisions={version: chain[-1].division for version, chain in chains.items()},
        faults=tuple(faults),
    )


def _session_faults(outcome: Outcome) -> Iterable[str]:
    """Whether the session moved what it had to, by as much as it had to."""
    moves = [seat.move for seat in outcome.seats]
    why_not = not_counted(outcome)
    if outcome.rated is None:
        return
    if outcome.rated != (not why_not):
        yield f"session {outcome.session}: rated is {outcome.rated}, though {why_not or 'it counts'}"
    if not outcome.rated or outcome.ranks is None:
        if any(moves):
            yield f"session {outcome.session}: it is not rated, and moves ratings"
        return
    yield from _arithmetic_faults(outcome, outcome.seats, outcome.ranks)


def _arithmetic_faults(
    outcome: Outcome, seats: Sequence[SeatOutcome], ranks: Sequence[int]
) -> Iterable[str]:
    before = [None if seat.move is None else _before(seat.move) for seat in seats]
    known = [each for each in before if each is not None]
    if len(known) < len(seats):
        return  # rated before moves were numbered
    for seat, rating in zip(seats, ratings.update(ranks, known), strict=True):
        assert seat.move is not None, "all are known"
        if rating != _after(seat.move):
            yield f"session {outcome.session}, seat {seat.seat}: {_after(seat.move)}, not {rating}"


def _chain_faults(chain: Sequence[Move], others: Sequence[Move]) -> Iterable[str]:
    """Of one version's moves, by number; `others` are those of the agent's other versions."""
    standing: Standing | None = None
    last: Move | None = None
    for number, move in enumerate(chain, 1):
        if move.number != number:
            yield f"its move {number} is missing"
            return
        if last is None:
            begun = {ratings.promoted(each) for each in _later(map(_after, others))}
            if _before(move) not in {Rating(), *begun}:
                yield f"nothing explains that it begins with {_before(move)}"
        elif _before(move) not in set(_later([_after(last)])):
            yield f"nothing explains that move {number} starts from {_before(move)}"
        if standing is None or (last is not None and _before(move) != _after(last)):  # a new season
            standing = None if move.was_division is None else leagues.standing(move.was_division)
        elif move.was_division != standing.division:
            yield f"before move {number} it is in division {move.was_division}"
        standing = _league(standing, move)
        if standing.division != move.division:
            yield f"after move {number} it is in division {move.division}, not {standing.division}"
            standing = leagues.standing(move.division)
        last = move


def _later(left: Iterable[Rating]) -> Iterable[Rating]:
    """What the seasons may have made of ratings that were left like this; themselves first."""
    known: set[Rating] = set()
    for rating in left:
        while rating not in known:
            known.add(rating)
            yield rating
            rating = ratings.season_start(rating)  # noqa: PLW2901 - on to the next season


def _league(standing: Standing | None, move: Move) -> Standing:
    ordinal_milli = ratings.ordinal_milli(move.mu_milli, move.sigma_milli)
    if standing is None:
        return leagues.placed(ordinal_milli)
    return leagues.after(standing, ordinal_milli)


def _before(move: Move) -> Rating:
    return Rating(move.was_mu_milli, move.was_sigma_milli)


def _after(move: Move) -> Rating:
    return Rating(move.mu_milli, move.sigma_milli)
