"""The state of a tournament: which games to form next, given what came of the others. Pure.

The state follows from the setup and the stored facts alone (`Game`), so a director that dies is
replaced by one that folds the same facts. A voided session is nobody's fault and is replayed, `ATTEMPTS`
sessions in all; then the game is given up and scores nothing. Most sessions are voided since a model is
asked too much at once, so after each the entrants play half as many at once, and one more after each that
is scored, as congestion is avoided on the net (Jacobson, 1988). Who does not come forfeits by the clock of
the Space, which is a result like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from server.tournament.fixture import Fixture, Format, Standing

ATTEMPTS = 3
WINDOW = 4_096
"""Games that wait for their entrants are looked through; the plan is drawn on as far as this."""


class Game(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at one fixture: a session, and what came of it."""

    fixture: Fixture
    attempt: int
    """From 1 on."""
    session: str
    state: Literal["live", "scored", "void"] = "live"
    ranks: tuple[int, ...] | None = None
    """By seat, 1 is best, once scored."""
    reason: str = ""
    """Why it was voided."""


class Due(msgspec.Struct, frozen=True):
    """A game to be formed now."""

    fixture: Fixture
    attempt: int


class Tournament:
    """Takes facts in the order in which they were made and says what comes next."""

    def __init__(self, format_: Format, *, parallel: int, at_once: Sequence[int]) -> None:
        """`at_once`: for each entrant, how many sessions it plays at the same time."""
        self.format = format_
        self._parallel = parallel
        self._at_once = at_once
        self._room = list(at_once)
        """How many sessions each entrant plays at once now, 1 .. at_once."""
        self._busy = [0] * len(at_once)
        self._started: set[str] = set()
        """Fixtures that were formed in an earlier life: the plan hands them out once more."""
        self._waiting: dict[str, Due] = {}
        self.live: dict[str, Game] = {}
        """Games that are being played, by session."""
        self.scored = 0
        self.given_up = 0

    @classmethod
    def restored(
        cls,
        format_: Format,
        games: Iterable[Game],
        *,
        parallel: int,
        at_once: Sequence[int],
    ) -> Tournament:
        """The tournament after `games`, which come in the order in which they were formed."""
        tournament = cls(format_, parallel=parallel, at_once=at_once)
        for game in games:
            tournament._started.add(game.fixture.name)
            tournament._waiting.pop(game.fixture.name, None)
            tournament._begin(game)
            if game.state == "scored":
                assert game.ranks is not None, "a scored game has ranks"
                tournament.score(game.session, game.ranks)
            elif game.state == "void":
                tournament.void(game.session)
        return tournament

    def due(self) -> list[Due]:
        """What may be formed now, as far as there is room; `formed` must be told of each."""
        self._draw()
        found = []
        busy = list(self._busy)
        room = self._parallel - len(self.live)
        for due in self._waiting.values():
            if room <= 0:
                break
            seats = due.fixture.seats
            if all(busy[each] < self._room[each] for each in seats):
                found.append(due)
                room -= 1
                for each in seats:
                    busy[each] += 1
        return found

    def _draw(self) -> None:
        """Take from the plan what it has ready, up to the window."""
        ready = self.format.ready()
        while len(self._waiting) < WINDOW:
            fixture = next(ready, None)
            if fixture is None:
                return
            if fixture.name in self._started:
                self._started.discard(fixture.name)
            else:
                self._waiting[fixture.name] = Due(fixture, 1)

    def formed(self, due: Due, session: str) -> Game:
        """The game is in the store, and shall be played as `session`."""
        del self._waiting[due.fixture.name]
        game = Game(fixture=due.fixture, attempt=due.attempt, session=session)
        self._begin(game)
        return game

    def _begin(self, game: Game) -> None:
        self.live[game.session] = game
        for each in game.fixture.seats:
            self._busy[each] += 1

    def score(self, session: str, ranks: Sequence[int]) -> Game:
        """The session has ended; `ranks` by seat, 1 is best."""
        game = self._end(session)
        self.scored += 1
        for each in game.fixture.seats:
            self._room[each] = min(self._at_once[each], self._room[each] + 1)
        self.format.take(game.fixture, ranks)
        return msgspec.structs.replace(game, state="scored", ranks=tuple(ranks))

    def void(self, session: str, reason: str = "") -> Game:
        """The session was voided: the game is played again, or given up after ATTEMPTS."""
        game = self._end(session)
        for each in game.fixture.seats:
            self._room[each] = max(1, self._room[each] // 2)
        if game.attempt < ATTEMPTS:
            self._waiting[game.fixture.name] = Due(game.fixture, game.attempt + 1)
        else:
            self.given_up += 1
            self.format.take(game.fixture, None)
        return msgspec.structs.replace(game, state="void", reason=reason)

    def _end(self, session: str) -> Game:
        game = self.live.pop(session)
        for each in game.fixture.seats:
            self._busy[each] -= 1
        return game

    @property
    def done(self) -> bool:
        return self.format.done

    def standings(self, top: int | None = None) -> list[Standing]:
        return self.format.standings(top)
