"""One tournament being played: takes what came of its sessions, forms the next ones, tells everybody.

What it knows beyond the store is only a copy: `Running.load` makes it anew, in this process or the
next. A game's row is written before its session is formed, under the session's id, so whoever finds a
row without a session forms it, and nothing is formed twice.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec
import structlog

from server import ratings
from server.clock import Clock
from server.forming import SALT_BYTES, FormSession, Opener
from server.identity import Kind, new_id
from server.live import keys
from server.live.agents import since_open
from server.live.log import LiveLog
from server.live.records import LogEvent, SeatRecord, SessionRecord
from server.store.sessions import Sessions
from server.store.tournaments import Played, Tournaments
from server.tournament.knockout import Knockout
from server.tournament.setup import make_format
from server.tournament.tournament import Due, Game, Tournament
from server.tournament.view import Facts, game_card, match_card, standing_row, view
from spaces import registry
from spaces.seed import SEED_BYTES

FORM_AT_ONCE = 16
"""Sessions being formed at the same time."""
PUBLISH_MS = 500
"""The least time between two publications."""
PUBLISH_SHARE = 20
"""Of the time, one part in so many may go into making views: a thousand entrants take a while to rank."""
REPEAT_MS = 3_600_000
"""An unchanged tournament is published again after this long, which keeps its channel alive."""
REASON_CHARS = 200

_logger = structlog.get_logger()


class Services(Protocol):
    """What a running tournament works with; the director has it."""

    tournaments: Tournaments
    sessions: Sessions
    log: LiveLog
    opener: Opener
    form_session: FormSession
    clock: Clock
    spectator_delay_ms: int


class Running:
    """Construct through `load`."""

    def __init__(self, services: Services, facts: Facts, games: Sequence[Game]) -> None:
        self._services = services
        self.facts = facts
        setup = facts.setup
        self.state = Tournament.restored(
            make_format(setup, len(facts.entrants), facts.seed),
            games,
            parallel=setup.parallel,
            at_once=[each.at_once or setup.parallel_each for each in facts.entrants],
        )
        self._numbered = len(games)
        self._formed: set[str] = set()
        """Live sessions that exist in the store."""
        self._news: list[LogEvent] = []
        self._published_ms = 0
        self._rest_ms = PUBLISH_MS
        self._publish = True
        self.over = False
        """It has ended, and everybody has been told."""

    @classmethod
    async def load(cls, services: Services, tournament: str) -> Running:
        """The tournament as it stands in the store."""
        row = await services.tournaments.get(tournament)
        assert row is not None, "a running tournament is in the store"
        facts = Facts(
            tournament=tournament,
            setup=row.setup,
            entrants=tuple(await services.tournaments.entrants(tournament)),
            created_ms=row.created_ms,
            seed=row.seed,
            seed_commit=row.seed_commit,
        )
        return cls(services, facts, await services.tournaments.games(tournament))

    async def step(self) -> None:
        """One round. Raises Stale where another director is at work: load it anew. Cancelling it, or
        whatever else it raises, leaves facts that `load` can go on from."""
        await self._take_results()
        await self._form()
        if self.state.done:
            await self._end()
        elif self._services.clock() - self._published_ms >= self._pause_ms():
            await self._tell("running")

    def _pause_ms(self) -> int:
        return self._rest_ms if self._publish else REPEAT_MS

    # ------------------------------------------------------------------ results

    async def _take_results(self) -> None:
        live = self.state.live
        came = await self._services.tournaments.played(list(live))
        self._formed = {session for session in live if session in came}
        # Not before the public may see how a session ended: the standings would tell.
        shown_ms = self._services.clock() - self._services.spectator_delay_ms
        decided = [
            (game, came[session])
            for session, game in live.items()
            if session in came and came[session].sealed_ms <= shown_ms
        ]
        settled = [new for game, played in decided if (new := _settled(game, played)) is not None]
        if settled:
            # the store first: should we die in between, the next director reads it there
            await self._services.tournaments.settle(settled)
            for game in settled:
                self._fold(game)

    def _fold(self, game: Game) -> None:
        body = msgspec.to_builtins(game_card(game))
        if game.state == "scored":
            assert game.ranks is not None, "a scored game has ranks"
            self.state.score(game.session, game.ranks)
            self._note("score", body)
            self._note_match(game)
        else:
            given_up = self.state.given_up
            self.state.void(game.session, game.reason)
            self._note("void", {**body, "again": self.state.given_up == given_up})
            _logger.warning(
                "tournament game void",
                tournament=self.facts.tournament,
                game=game.fixture.name,
                attempt=game.attempt,
                session=game.session,
                reason=game.reason,
            )
            if self.state.given_up > given_up:
                self._note_match(game)

    def _note_match(self, game: Game) -> None:
        format_ = self.state.format
        if isinstance(format_, Knockout) and format_.matches[game.fixture.match].decided:
            card = match_card(format_, format_.matches[game.fixture.match])
            self._note("through", msgspec.to_builtins(card))

    # ------------------------------------------------------------------ forming

    async def _form(self) -> None:
        due = self.state.due()
        if due:
            sessions = [new_id() for _ in due]
            planned = [_game(each, session) for each, session in zip(due, sessions, strict=True)]
            await self._services.tournaments.plan(self.facts.tournament, self._numbered, planned)
            self._numbered += len(due)
            for each, session in zip(due, sessions, strict=True):
                self._note("game", msgspec.to_builtins(game_card(self.state.formed(each, session))))
        unformed = [
            game for session, game in self.state.live.items() if session not in self._formed
        ]
        if not unformed:
            return
        kinds = await self._services.tournaments.kinds(self.facts.tournament)
        at_once = asyncio.Semaphore(FORM_AT_ONCE)

        async def form(game: Game) -> None:
            async with at_once:
                await self._form_one(game, kinds)

        async with asyncio.TaskGroup() as group:
            for game in unformed:
                group.create_task(form(game))

    async def _form_one(self, game: Game, kinds: Mapping[str, Kind]) -> None:
        await self._services.form_session(self._draw(game, kinds))
        standing = await self._services.sessions.record(game.session)
        assert standing is not None, "just formed"
        await self._services.opener.open(standing)
        self._formed.add(game.session)

    def _draw(self, game: Game, kinds: Mapping[str, Kind]) -> SessionRecord:
        """The session of a game: seats as the plan says, played by whom `kinds` says; a fresh secret seed."""
        setup = self.facts.setup
        entrants = [self.facts.entrants[each] for each in game.fixture.seats]
        return SessionRecord(
            session=game.session,
            space=setup.space,
            rules=registry.get(setup.space).rules,
            params=setup.params,
            tier_micros=0,
            opened_ms=self._services.clock(),
            seed=secrets.token_bytes(SEED_BYTES),
            seats=tuple(
                SeatRecord(
                    seat=seat,
                    agent=each.agent,
                    name=each.name,
                    version=each.version,
                    owner=each.owner,
                    salt=secrets.token_bytes(SALT_BYTES),
                    rating_milli=each.rating_milli,
                    kind=kinds.get(each.agent),
                )
                for seat, each in enumerate(entrants)
            ),
            spectator_delay_ms=self._services.spectator_delay_ms,
        )

    # ------------------------------------------------------------------ telling

    def _note(self, kind: str, body: dict[str, object]) -> None:
        self._news.append(LogEvent(t=0, by="host", type=kind, body=body))
        self._publish = True

    async def _end(self) -> None:
        standings = await asyncio.to_thread(self.state.standings)
        rows = [standing_row(each) for each in standings]
        await self._services.tournaments.end(self.facts.tournament, rows, self._services.clock())
        self._note("end", {"seed": self.facts.seed.hex()})
        await self._tell("ended")
        self.over = True
        _logger.info(
            "tournament ended",
            tournament=self.facts.tournament,
            space=self.facts.setup.space,
            format=self.facts.setup.format,
            entrants=len(self.facts.entrants),
            scored=self.state.scored,
            given_up=self.state.given_up,
            took_s=(self._services.clock() - self.facts.created_ms) // 1_000,
        )

    async def _tell(self, status: Literal["running", "ended"]) -> None:
        channel = keys.tournament_channel(self.facts.tournament)
        now_ms = self._services.clock()
        head = await self._services.log.head(channel)
        t = since_open(head, now_ms)
        news = self._news or [LogEvent(t=t, by="host", type="changed")]
        events = [msgspec.structs.replace(event, t=t) for event in news]
        began_s = time.perf_counter()
        # In a thread, for other tournaments and roles share this loop. Nobody changes the state meanwhile:
        # only `step` does, which waits here, and who cancels it loads the tournament anew.
        shown = await asyncio.to_thread(view, self.facts, self.state, status)
        took_ms = round((time.perf_counter() - began_s) * 1_000)
        self._rest_ms = max(PUBLISH_MS, PUBLISH_SHARE * took_ms)
        await self._services.log.publish(channel, new_id(), events, shown, keys.AGENT_TTL_S)
        self._news, self._publish, self._published_ms = [], False, now_ms


def _game(due: Due, session: str) -> Game:
    return Game(fixture=due.fixture, attempt=due.attempt, session=session)


def _settled(game: Game, played: Played) -> Game | None:
    """The game with what came of its session; None while it goes on, or while judges are out."""
    replace = msgspec.structs.replace
    if played.status == "void":
        return replace(game, state="void", reason=played.reason[:REASON_CHARS] or "void")
    if played.status != "ended":
        return None
    if played.returns is not None:
        return replace(game, state="scored", ranks=ratings.ranks_of(played.returns))
    if played.ranks is not None:
        return replace(game, state="scored", ranks=played.ranks)
    if played.unjudged:
        return replace(game, state="void", reason="the judges gave no verdict")
    return None
