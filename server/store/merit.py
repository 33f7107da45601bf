"""The tables of standing: points, careers, shares, leagues, the official boards, seasons, and what admins did."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from server.store.schema import ID, SPACE, metadata

season = Table(
    "season",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
)

point = Table(
    "point",
    metadata,
    # Says what it is for, so that nothing is rewarded twice: `session:<session>:<agent>`, …
    Column("id", String(160), primary_key=True),
    Column("season", Integer, ForeignKey("season.number"), nullable=False),
    Column("account", ID, ForeignKey("account.id"), nullable=False),
    Column("agent", ID, ForeignKey("agent.id")),
    # Why: `creation`, `session`, `activity`, `engagement`, `sharing`.
    Column("code", String(16), nullable=False),
    Column("points", Integer, nullable=False),
    # One line for people.
    Column("words", String(200), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    # Of a session: the other accounts in it, without the house's, comma-separated. Shown to nobody.
    Column("met", Text, nullable=False, server_default=""),
    CheckConstraint("points > 0", name="points"),
    Index(None, "account", "season", "made_ms"),
    Index(None, "agent", "made_ms"),
)

point_total = Table(
    "point_total",
    metadata,
    # Sums over `point`, kept with it: what the board is made of.
    Column("season", Integer, ForeignKey("season.number"), primary_key=True),
    Column("account", ID, ForeignKey("account.id"), primary_key=True),
    # '' for what no agent has earned.
    Column("agent", ID, primary_key=True),
    Column("points", Integer, nullable=False),
    Index(None, "season", "points"),
)

career = Table(
    "career",
    metadata,
    # Sums over the settled entries of an hour, kept by the transaction that settles: `server.career.Tally`.
    Column("agent", ID, ForeignKey("agent.id"), primary_key=True),
    Column("space", SPACE, primary_key=True),
    Column("version", ID, ForeignKey("agent_version.id"), primary_key=True),
    Column("asset", String(8), primary_key=True),
    # Unix time in hours, of settling.
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("wins", BigInteger, nullable=False),
    Column("draws", BigInteger, nullable=False),
    Column("losses", BigInteger, nullable=False),
    Column("voids", BigInteger, nullable=False),
    Column("score_milli", BigInteger, nullable=False),
    Column("scored", BigInteger, nullable=False),
    Column("paid_micros", BigInteger, nullable=False),
    Column("won_micros", BigInteger, nullable=False),
    # The session that was settled last in it.
    Column("last", ID, nullable=False),
)

share = Table(
    "share",
    metadata,
    # What stands in the link; unguessable.
    Column("token", String(32), primary_key=True),
    Column("account", ID, ForeignKey("account.id"), nullable=False),
    # A session or an agent.
    Column("subject", String(96), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Index(None, "account", "subject", unique=True),
)

share_view = Table(
    "share_view",
    metadata,
    Column("token", String(32), ForeignKey("share.token"), primary_key=True),
    # A keyed hash of who looked: unique, and nobody can be found out from it.
    Column("viewer", String(64), primary_key=True),
    Column("seen_ms", BigInteger, nullable=False),
    # Null until it has been verified, e.g. by watching for a while.
    Column("verified_ms", BigInteger),
)

league = Table(
    "league",
    metadata,
    Column("space", SPACE, primary_key=True),
    Column("version", ID, ForeignKey("agent_version.id"), primary_key=True),
    # 0 is Bronze III, 17 is Master I.
    Column("division", Integer, nullable=False),
    # Results in a row below the division's floor: the hysteresis.
    Column("below", Integer, nullable=False),
    Column("best", Integer, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

official_board = Table(
    "official_board",
    metadata,
    Column("space", SPACE, primary_key=True),
    Column("computed_ms", BigInteger, primary_key=True),
    # JSON of the fit: window, rows with strengths and intervals, and the digest of the results file.
    Column("document", Text, nullable=False),
)

season_board = Table(
    "season_board",
    metadata,
    Column("season", Integer, ForeignKey("season.number"), primary_key=True),
    Column("space", SPACE, primary_key=True),
    # JSON: the live board and the official one, as they stood when the season ended.
    Column("document", Text, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", ID, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    # An account, or `operator` for who works at the command line.
    Column("actor", ID, nullable=False),
    Column("act", String(32), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("reason", String(280), nullable=False),
    # JSON.
    Column("detail", Text, nullable=False),
    Index(None, "subject", "id"),
    Index(None, "act", "id"),
)
