"""The tables of the court: what is before it, in which hearing, who sits, and what judges have sent."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from server.store.chain import ADDRESS, WEI
from server.store.schema import ID, SPACE, metadata

court_audit = Table(
    "court_audit",
    metadata,
    # A session of the house that was written in advance: what its judges ought to find. Secret until its case is closed.
    Column("session", ID, primary_key=True),
    # JSON, a sheet: by line of the rubric, then by contestant.
    Column("answer", Text, nullable=False),
)

court_case = Table(
    "court_case",
    metadata,
    Column("session", ID, ForeignKey("session.id"), primary_key=True),
    # Hex: what the contracts call it.
    Column("case_id", String(64), nullable=False, unique=True),
    Column("space", SPACE, nullable=False),
    Column("state", String(8), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    # Rises with every change, so that who tells of it knows what is new.
    Column("revision", BigInteger, nullable=False),
    # JSON `server.court.case.Case`, without its hearings.
    Column("record", Text, nullable=False),
    # `agon-case/1`, once it is closed.
    Column("document", LargeBinary),
    Column("cid", String(64)),
    # The epoch of the court whose roots it is under.
    Column("epoch", BigInteger),
    CheckConstraint("state IN ('open', 'final', 'void')", name="state"),
    CheckConstraint("(state = 'open') = (closed_ms IS NULL)", name="closed"),
    Index(None, "state", "closed_ms"),
    Index(None, "space", "closed_ms"),
    Index(None, "epoch", "closed_ms"),
)

court_hearing = Table(
    "court_hearing",
    metadata,
    Column("session", ID, ForeignKey("court_case.session"), primary_key=True),
    Column("hearing", Integer, primary_key=True, autoincrement=False),
    Column("state", String(12), nullable=False),
    # JSON `server.court.case.Held`, without messages, and without its bench unless it is done on the chain.
    Column("record", Text, nullable=False),
    CheckConstraint(
        "state IN ('wanted', 'filed', 'committing', 'revealing', 'decided', 'failed', 'forced')",
        name="state",
    ),
)

court_seat = Table(
    "court_seat",
    metadata,
    Column("session", ID, primary_key=True),
    Column("hearing", Integer, primary_key=True, autoincrement=False),
    # In the order of the draw, reserves last.
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("judge", ADDRESS, nullable=False),
    Column("operator", ADDRESS, nullable=False),
    Column("family", String(64), nullable=False),
    Column("reserve", Boolean, nullable=False),
    Column("state", String(10), nullable=False),
    # It has committed.
    Column("bound", Boolean, nullable=False),
    Column("ordinal", BigInteger),
    Column("skill", BigInteger),
    Column("pay", BigInteger, nullable=False),
    Column("slash", WEI, nullable=False),
    Column("drawn_ms", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["session", "hearing"], ["court_hearing.session", "court_hearing.hearing"]
    ),
    UniqueConstraint("session", "hearing", "judge"),
    # Two hearings with one ordinal would cost the judge everything. Where it has done that on the chain, the second row has none.
    UniqueConstraint("judge", "ordinal"),
    CheckConstraint(
        "state IN ('drawn', 'committed', 'revealed', 'absent', 'replaced')", name="state"
    ),
    Index(None, "judge", "drawn_ms"),
)

court_message = Table(
    "court_message",
    metadata,
    Column("session", ID, primary_key=True),
    Column("hearing", Integer, primary_key=True, autoincrement=False),
    # In the order in which they came.
    Column("number", Integer, primary_key=True, autoincrement=False),
    # Canonical JSON of `chain.documents.case`'s Message, which holds the SHA-256 of the one before.
    Column("body", LargeBinary, nullable=False),
    # Of the body, hex.
    Column("digest", String(64), nullable=False),
    ForeignKeyConstraint(
        ["session", "hearing"], ["court_hearing.session", "court_hearing.hearing"]
    ),
)
