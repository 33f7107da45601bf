"""Tournaments over HTTP: the list, one with its standings, its games, and making one of one's own agents.

Who is an entrant is seated in session after session, so nobody may enter another's agents: over HTTP a
tournament is made with a login or key and of the same account's agents only, one at a time. The operator
makes any other by the command line.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server.api import problems
from server.api.operation import Limit, Services, as_json, read_body, read_id, read_query
from server.api.principal import Principal, authorize
from server.api.problems import Problem
from server.forming import shown_rating
from server.identity import new_id
from server.live import keys
from server.live.log import LiveLog
from server.protocol import EntrantCard, GameCard, Id, StandingRow, TournamentView
from server.store.tournaments import TournamentRow
from server.tournament.commitment import committed
from server.tournament.setup import BadSetup, Entrant, Setup, by_rating, check
from server.tournament.view import game_card
from spaces.seed import SEED_BYTES

MAX_GAMES = 10_000
"""Of a tournament made over HTTP."""
MAX_PARALLEL = 32


class TournamentQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 20
    """Tournaments on one page."""
    before: Id | None = None
    """The `next` of the page before."""


class GameQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 100
    """Games on one page."""
    after: Annotated[int, Meta(ge=-1, le=2**31 - 1)] = -1
    """The `next` of the page before."""


class NewTournament(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tournament to be made."""

    setup: Setup
    entrants: Annotated[list[Id], Meta(min_length=2, max_length=1_000)]
    """Agents of the caller's account; each once."""
    seeds: Literal["rating", "given"] = "rating"
    """How they are seeded: by rating, best first, or in the order given."""


class TournamentSummary(msgspec.Struct, frozen=True, kw_only=True):
    tournament: str
    status: Literal["running", "ended"]
    setup: Setup
    created_ms: int
    """Unix milliseconds, as all times."""
    ended_ms: int | None = None
    entrants: int
    scored: int
    """Games with a result."""
    seed_commit: str
    """SHA-256("agon-tournament/1" || tournament || plan || seed), hex; `plan` is the hex SHA-256 of the
    canonical JSON {"entrants": [[agent, version, rating_milli], ...], "setup": {...}}, entrants by seed."""
    seed: str | None = None
    """Hex; revealed when it has ended."""


class TournamentDetail(TournamentSummary, frozen=True, kw_only=True):
    cards: list[EntrantCard]
    """Every entrant, by seed."""
    standings: list[StandingRow]
    """Best first: all of them once it has ended, before that the leading ones as last published."""


class TournamentPage(msgspec.Struct, frozen=True):
    """Newest first."""

    tournaments: list[TournamentSummary]
    next: str | None
    """`before` for the next page; null on the last one."""


class GamePage(msgspec.Struct, frozen=True):
    """In the order in which they were formed."""

    games: list[GameCard]
    next: int | None
    """`after` for the next page; null on the last one."""


async def tournaments(services: Services, request: Request) -> Response:
    query = read_query(request, TournamentQuery)
    rows = await services.store.tournaments.page(before=query.before, limit=query.limit)
    counts = await services.store.tournaments.counts([row.tournament for row in rows])
    page = [TournamentSummary(**_summary(row, counts[row.tournament])) for row in rows]
    following = page[-1].tournament if len(page) == query.limit else None
    return as_json(TournamentPage(page, following), Cache_Control="no-store")


async def tournament(services: Services, request: Request) -> Response:
    return as_json(await _detail(services, await _row(services, request)), Cache_Control="no-store")


async def games(services: Services, request: Request) -> Response:
    query = read_query(request, GameQuery)
    row = await _row(services, request)
    found = await services.store.tournaments.games(
        row.tournament, after=query.after, limit=query.limit
    )
    following = query.after + len(found) if len(found) == query.limit else None
    return as_json(
        GamePage([game_card(game) for game in found], following), Cache_Control="no-store"
    )


async def create(services: Services, request: Request) -> Response:
    caller = await authorize(services, request, "play")
    new = await read_body(request, NewTournament)
    try:
        setup = check(new.setup, len(new.entrants))
    except BadSetup as error:
        raise Problem(422, "bad-setup", str(error)) from None
    if setup.games > MAX_GAMES or setup.parallel > MAX_PARALLEL:
        said = f"over HTTP a tournament has at most {MAX_GAMES} games, {MAX_PARALLEL} at once"
        raise Problem(422, "bad-setup", said)
    entrants = await _entrants(services, caller, new, setup.space)
    name, seed = new_id(), secrets.token_bytes(SEED_BYTES)
    row = TournamentRow(
        tournament=name,
        owner=caller.account,
        status="running",
        created_ms=services.clock(),
        setup=setup,
        seed=seed,
        seed_commit=committed(name, setup, entrants, seed),
    )
    if not await services.store.tournaments.create(row, entrants, alone=True):
        raise Problem(409, "one-at-a-time", "a tournament of this account is running; wait for it")
    where = f"/v1/tournaments/{row.tournament}"
    return as_json(await _detail(services, row), 201, Cache_Control="no-store", Location=where)


async def _entrants(
    services: Services, caller: Principal, new: NewTournament, space: str
) -> list[Entrant]:
    """Raises Problem where one is not the caller's, or is named twice."""
    if len(set(new.entrants)) < len(new.entrants):
        raise Problem(422, "bad-entrants", "an agent is named twice")
    found = []
    for agent in new.entrants:
        identity = await services.store.agents.get(agent)
        if identity is None or identity.owner != caller.account:
            raise Problem(403, "not-your-agent", f"agent {agent!r} is not of the key's account")
        mu_milli, sigma_milli = await services.store.ratings.current(identity.version, space)
        found.append(
            Entrant(
                agent=identity.agent,
                name=identity.name,
                version=identity.version,
                owner=identity.owner,
                rating_milli=shown_rating(mu_milli, sigma_milli),
            )
        )
    return by_rating(found) if new.seeds == "rating" else found


async def _row(services: Services, request: Request) -> TournamentRow:
    name = read_id(request, "tournament")
    row = await services.store.tournaments.get(name)
    if row is None:
        raise problems.not_found("tournament", name)
    return row


async def _detail(services: Services, row: TournamentRow) -> TournamentDetail:
    entrants = await services.store.tournaments.entrants(row.tournament)
    counts = await services.store.tournaments.counts([row.tournament])
    standings = row.standings
    if standings is None:
        head = await LiveLog(services.redis).head(keys.tournament_channel(row.tournament))
        view = None if head is None or head.views is None else head.views.public
        standings = tuple(view.standings) if isinstance(view, TournamentView) else ()
    return TournamentDetail(
        **_summary(row, counts[row.tournament]),
        cards=[
            EntrantCard(number, each.agent, each.name, each.version, each.rating_milli)
            for number, each in enumerate(entrants)
        ],
        standings=list(standings),
    )


def _summary(row: TournamentRow, counts: tuple[int, int]) -> dict[str, Any]:
    entrants, scored = counts
    return {
        "tournament": row.tournament,
        "status": row.status,
        "setup": row.setup,
        "created_ms": row.created_ms,
        "ended_ms": row.ended_ms,
        "entrants": entrants,
        "scored": scored,
        "seed_commit": row.seed_commit,
        "seed": row.seed.hex() if row.status == "ended" else None,
    }
