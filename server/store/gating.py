"""The tables of gates, of their matches, and of the lineage of what plays."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from server.store.schema import ID, SPACE, metadata

gate = Table(
    "gate",
    metadata,
    Column("id", ID, primary_key=True),
    Column("agent", ID, ForeignKey("agent.id"), nullable=False),
    Column("space", SPACE, nullable=False),
    Column("status", String(8), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    # The versions that are compared; the candidate does not play yet.
    Column("candidate", ID, ForeignKey("agent_version.id"), nullable=False),
    Column("current", ID, ForeignKey("agent_version.id"), nullable=False),
    # CID of the candidate's adapter; null: it has none.
    Column("adapter", String(64)),
    # JSON `training.gate.pairing.Plan`.
    Column("plan", Text, nullable=False),
    # JSON: who sits for each player of the plan (`server.training.players.Player`).
    Column("players", Text, nullable=False),
    # Secret until it has ended.
    Column("seed", LargeBinary, nullable=False),
    # Hex, as it was published.
    Column("seed_commit", String(64), nullable=False),
    # Pairs that are played at once.
    Column("at_once", Integer, nullable=False),
    # JSON `training.gate.verdict.Verdict`.
    Column("verdict", Text),
    CheckConstraint("status IN ('running', 'ended')", name="status"),
    CheckConstraint(
        "(status = 'ended') = (ended_ms IS NOT NULL AND verdict IS NOT NULL)", name="ended"
    ),
    Index(None, "status", "id"),
    Index(None, "agent", "id"),
)

gate_match = Table(
    "gate_match",
    metadata,
    Column("gate", ID, ForeignKey("gate.id"), primary_key=True),
    # `training.gate.pairing.Match.name`; one row per attempt.
    Column("name", String(64), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    # No foreign key: this row is written first, so that a match is formed once whoever dies.
    Column("session", ID, nullable=False, unique=True),
    # JSON `training.gate.pairing.Match`.
    Column("match", Text, nullable=False),
    Column("state", String(8), nullable=False),
    # JSON `training.gate.progress.Result`.
    Column("result", Text),
    Column("reason", Text),
    CheckConstraint("state IN ('live', 'scored', 'void')", name="state"),
    CheckConstraint("(state = 'scored') = (result IS NOT NULL)", name="scored"),
)

lineage = Table(
    "lineage",
    metadata,
    Column("agent", ID, ForeignKey("agent.id"), primary_key=True),
    # 1, 2, 3, … in the order in which it came about.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    # The version that plays from then on, and the one that played until then.
    Column("version", ID, ForeignKey("agent_version.id"), nullable=False),
    Column("parent", ID, ForeignKey("agent_version.id"), nullable=False),
    # CID of the adapter that `version` plays with, if any.
    Column("adapter", String(64)),
    # By which it was promoted.
    Column("gate", ID, ForeignKey("gate.id"), unique=True),
    Column("at_ms", BigInteger, nullable=False),
    CheckConstraint("kind IN ('promoted', 'rolled-back')", name="kind"),
    CheckConstraint("(kind = 'promoted') = (gate IS NOT NULL)", name="promoted"),
)
