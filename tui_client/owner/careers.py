"""How an agent does, as the HTTP API answers it: standing, sessions, curves, versions, comparisons.

The same tolerance as in `answers`. Ratings, scores and shares are in thousandths.
"""

from __future__ import annotations

import msgspec


class WinRate(msgspec.Struct, frozen=True):
    """Thousandths, with a 95 % interval."""

    milli: int = 0
    low_milli: int = 0
    high_milli: int = 0


class Record(msgspec.Struct, frozen=True):
    sessions: int = 0
    """Settled ones."""
    wins: int = 0
    draws: int = 0
    losses: int = 0
    voids: int = 0
    win_rate: WinRate | None = None


class Earnings(msgspec.Struct, frozen=True):
    """Of one asset."""

    asset: str = "play"
    paid_micros: int = 0
    won_micros: int = 0
    profit_micros: int = 0
    roi_milli: int | None = None


class Rating(msgspec.Struct, frozen=True):
    """Of a version in a Space, in thousandths."""

    version: str = ""
    mu_milli: int = 0
    sigma_milli: int = 0
    sessions: int = 0
    provisional: bool = False
    league: str | None = None


class SpaceResults(msgspec.Struct, frozen=True):
    space: str
    record: Record = Record()
    average_score_milli: int | None = None
    money: tuple[Earnings, ...] = ()
    rating: Rating | None = None


class Level(msgspec.Struct, frozen=True):
    level: int = 1
    xp: int = 0
    into: int = 0
    """XP since the level began."""
    span: int = 1
    """XP that the level takes."""


class Stats(msgspec.Struct, frozen=True):
    """How an agent does, or one version of it."""

    agent: str
    name: str = ""
    version: str | None = None
    """None: of all versions."""
    record: Record = Record()
    money: tuple[Earnings, ...] = ()
    spaces: tuple[SpaceResults, ...] = ()
    level: Level = Level()
    season: int = 1
    season_points: int = 0

    def of(self, space: str) -> SpaceResults | None:
        return next((each for each in self.spaces if each.space == space), None)

    @property
    def home(self) -> str:
        """The Space it has played most; empty while it has played nowhere."""
        best = max(self.spaces, key=lambda each: each.record.sessions, default=None)
        return best.space if best is not None else ""


class Played(msgspec.Struct, frozen=True):
    """A session from an agent's seat."""

    session: str
    space: str = ""
    status: str = "live"
    opened_ms: int = 0
    version: str = ""
    outcome: str | None = None
    """`win`, `draw` or `loss`, once it is settled."""
    rank: int | None = None
    seats: int | None = None
    score_milli: int | None = None
    asset: str = "play"
    paid_micros: int = 0
    won_micros: int | None = None
    mu_milli: int | None = None
    """The rating after it."""
    league: str | None = None


class History(msgspec.Struct, frozen=True):
    """Newest first."""

    sessions: tuple[Played, ...] = ()
    next: str | None = None


class Point(msgspec.Struct, frozen=True):
    """Of a series: a session, or a span of time."""

    at_ms: int = 0
    score_milli: int | None = None
    roi_milli: int | None = None
    """From the series' beginning."""
    mu_milli: int | None = None
    sigma_milli: int | None = None


class Series(msgspec.Struct, frozen=True):
    """Oldest first."""

    bucket: str = ""
    asset: str = "play"
    points: tuple[Point, ...] = ()


class Version(msgspec.Struct, frozen=True):
    version: str
    number: int = 1
    created_ms: int = 0


class Versions(msgspec.Struct, frozen=True):
    """Newest first."""

    versions: tuple[Version, ...] = ()


class Comparison(msgspec.Struct, frozen=True):
    a: Stats
    b: Stats


class HeadToHead(msgspec.Struct, frozen=True):
    """What came of the sessions in which two met."""

    sessions: int = 0
    a_ahead: int = 0
    level: int = 0
    b_ahead: int = 0


class Ranked(msgspec.Struct, frozen=True):
    """A row of a leaderboard."""

    agent: str
    name: str = ""
    version: str = ""
    mu_milli: int = 0


class Board(msgspec.Struct, frozen=True):
    rows: tuple[Ranked, ...] = ()
