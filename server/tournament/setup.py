"""What a tournament is: its settings, its entrants, and the format they make. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from server.protocol import SpaceId
from server.tournament import round_robin
from server.tournament.fixture import Format
from server.tournament.knockout import Knockout
from server.tournament.match import BEST_OF
from server.tournament.round_robin import RoundRobin
from spaces import canonical, registry
from spaces.seed import Streams
from spaces.space import InvalidParams

MAX_ENTRANTS = 1_000
MAX_GAMES = 1_000_000
FormatName = Literal["knockout", "round-robin"]


class BadSetup(ValueError):
    """A tournament that cannot be; the message names what is wrong with it."""


class Setup(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of a tournament."""

    space: SpaceId
    format: FormatName
    params: dict[str, Any] = {}
    """The Space's own, for every game."""
    games: Annotated[int, Meta(ge=0, le=MAX_GAMES)] = 0
    """Of a round-robin, in all; 0: with two seats two legs, with more seats one. Of a knockout always 0."""
    parallel: Annotated[int, Meta(ge=1, le=1_024)] = 32
    """Sessions that are played at once, at most."""
    parallel_each: Annotated[int, Meta(ge=1, le=256)] = 4
    """Sessions that one entrant plays at once, at most, where it has no number of its own."""


class Entrant(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes part, in the version that is registered when the tournament is made."""

    agent: str
    name: str
    version: str
    owner: str
    rating_milli: int | None = None
    at_once: int | None = None
    """Sessions it plays at once, at most; None: `Setup.parallel_each`."""


def check(setup: Setup, entrants: int) -> Setup:
    """The settings with `games` filled in. Raises BadSetup."""
    try:
        space = registry.get_offered(setup.space)
    except registry.UnknownSpace as error:
        raise BadSetup(str(error)) from None
    try:
        space.params(setup.params)
        canonical.encode(setup.params)  # the tournament is committed to them
    except InvalidParams as error:
        raise BadSetup(str(error)) from None
    except canonical.CanonicalError as error:
        raise BadSetup(f"params: {error}") from None
    least = max(2, space.seats)
    if not least <= entrants <= MAX_ENTRANTS:
        raise BadSetup(
            f"a tournament of {setup.space} takes {least} to {MAX_ENTRANTS} entrants, got {entrants}"
        )
    if setup.format == "knockout":
        if setup.games:
            raise BadSetup(
                "the number of games is for a round-robin; a knockout's follows from its entrants"
            )
        return setup
    leg = round_robin.leg_games(entrants, space.seats)
    games = setup.games or leg * (2 if space.seats == 2 else 1)
    if games > MAX_GAMES:
        raise BadSetup(f"a round-robin has at most {MAX_GAMES} games, got {games}")
    return msgspec.structs.replace(setup, games=games)


def make_format(setup: Setup, entrants: int, seed: bytes) -> Format:
    """The plan of a checked setup. The same arguments always make the same plan."""
    seats, streams = registry.get(setup.space).seats, Streams(seed)
    if setup.format == "knockout":
        return Knockout(entrants, seats, streams, BEST_OF)
    return RoundRobin(entrants, seats, streams, setup.games)


def by_rating(entrants: list[Entrant]) -> list[Entrant]:
    """Order of seeds by rating, best first; who has none comes last, in the order given."""
    return sorted(entrants, key=lambda each: (each.rating_milli is None, -(each.rating_milli or 0)))
