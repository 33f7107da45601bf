"""What everybody may see of a tournament: its view on `tournament:{id}`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from server.protocol import (
    EntrantCard,
    GameCard,
    MatchCard,
    PairCard,
    StandingRow,
    TournamentView,
)
from server.tournament.fixture import Standing
from server.tournament.knockout import Knockout
from server.tournament.match import Match
from server.tournament.round_robin import RoundRobin
from server.tournament.setup import Entrant, Setup
from server.tournament.tournament import Game, Tournament
from spaces import registry

MATCHES_SHOWN = 63
"""The last six rounds of a bracket."""
LIVE_SHOWN = 64
STANDINGS_SHOWN = 64
PAIRS_OF = 16
"""More entrants than this have too many pairs to show."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What never changes about a tournament. The seed is secret until it has ended."""

    tournament: str
    setup: Setup
    entrants: tuple[Entrant, ...]
    created_ms: int
    seed: bytes
    seed_commit: str


def view(
    facts: Facts, state: Tournament, status: Literal["running", "ended"] = "running"
) -> TournamentView:
    """The tournament as it stands."""
    format_ = state.format
    live = [game_card(game) for game in list(state.live.values())[:LIVE_SHOWN]]
    matches = _matches(format_, state) if isinstance(format_, Knockout) else []
    standings = [standing_row(each) for each in state.standings(STANDINGS_SHOWN)]
    return TournamentView(
        tournament=facts.tournament,
        space=facts.setup.space,
        format=facts.setup.format,
        status=status,
        created_ms=facts.created_ms,
        seats=registry.get(facts.setup.space).seats,
        entrants=len(facts.entrants),
        cards=_cards(facts.entrants, matches, live, standings),
        total=format_.total,
        scored=state.scored,
        given_up=state.given_up,
        rounds=format_.rounds if isinstance(format_, Knockout) else 0,
        matches=matches,
        live=live,
        standings=standings,
        pairs=_pairs(format_) if isinstance(format_, RoundRobin) else [],
        seed_commit=facts.seed_commit,
        seed=facts.seed.hex() if status == "ended" else None,
    )


def game_card(game: Game) -> GameCard:
    return GameCard(
        game=game.fixture.name,
        attempt=game.attempt,
        session=game.session,
        seats=list(game.fixture.seats),
        state=game.state,
        ranks=None if game.ranks is None else list(game.ranks),
        reason=game.reason,
    )


def standing_row(standing: Standing) -> StandingRow:
    return StandingRow(**msgspec.structs.asdict(standing))


def match_card(knockout: Knockout, match: Match, session: str | None = None) -> MatchCard:
    through = [] if not match.decided else match.order()
    if through and match.round < knockout.rounds:
        through = through[: knockout.through(match.name)]
    return MatchCard(
        name=match.name,
        round=match.round,
        players=list(match.players),
        points=[match.points[each] for each in match.players],
        games=len(match.games),
        through=through,
        coin=match.decided and match.coin(knockout.through(match.name)),
        unplayed=match.unplayed,
        session=session,
    )


def _matches(knockout: Knockout, state: Tournament) -> list[MatchCard]:
    """Whole rounds from the last one back, as many as fit; then those with a live game."""
    playing = {game.fixture.match: session for session, game in state.live.items()}
    sizes: dict[int, int] = {}
    for match in knockout.matches.values():
        sizes[match.round] = sizes.get(match.round, 0) + 1
    shown: set[int] = set()
    room = MATCHES_SHOWN
    for round_ in sorted(sizes, reverse=True):
        room -= sizes[round_]
        if room < 0:
            break
        shown.add(round_)
    chosen = [
        match
        for match in knockout.matches.values()
        if match.round in shown or match.name in playing
    ][: MATCHES_SHOWN + LIVE_SHOWN]
    chosen.sort(key=_place)
    return [match_card(knockout, match, playing.get(match.name)) for match in chosen]


def _place(match: Match) -> tuple[int, int]:
    return match.round, int(match.name.partition(".m")[2])


def _pairs(robin: RoundRobin) -> list[PairCard]:
    against = robin.tally.against
    if len(against) > PAIRS_OF:
        return []
    return [
        PairCard(one, other, *against[one][other])
        for one in range(len(against))
        for other in sorted(against[one])
        if one < other
    ]


def _cards(
    entrants: Sequence[Entrant],
    matches: Iterable[MatchCard],
    live: Iterable[GameCard],
    standings: Iterable[StandingRow],
) -> list[EntrantCard]:
    named = {each.entrant for each in standings}
    for match in matches:
        named.update(match.players)
    for game in live:
        named.update(game.seats)
    return [
        EntrantCard(
            each,
            entrants[each].agent,
            entrants[each].name,
            entrants[each].version,
            entrants[each].rating_milli,
        )
        for each in sorted(named)
    ]
