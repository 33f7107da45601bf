"""The tables of trainings: what owners allow, jobs, and the adapters that came of them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
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

CID = String(64)

training_consent = Table(
    "training_consent",
    metadata,
    Column("agent", ID, ForeignKey("agent.id"), primary_key=True),
    Column("space", SPACE, primary_key=True),
    Column("on", Boolean, nullable=False),
    # Device-seconds in any seven days.
    Column("budget_s", Integer, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

training_job = Table(
    "training_job",
    metadata,
    Column("id", ID, primary_key=True),
    Column("agent", ID, ForeignKey("agent.id"), nullable=False),
    Column("space", SPACE, nullable=False),
    # The version that it is a training of, and that its candidate is to beat.
    Column("version", ID, ForeignKey("agent_version.id"), nullable=False),
    # Who wanted it: `owner`, or `schedule` by the owner's consent.
    Column("asked", String(8), nullable=False),
    # `server.training.states.State`.
    Column("state", String(12), nullable=False),
    # It learns from sessions that were sealed after the one and up to the other.
    Column("since_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    # Scored sessions in that time, when it was asked for.
    Column("scored", Integer, nullable=False),
    # Started so far; the number of the latest is the fence of whoever works on it.
    Column("fence", Integer, nullable=False),
    # Those of them that ended without getting on.
    Column("attempts", Integer, nullable=False),
    # Not before; while somebody works on it: their lease ends then.
    Column("due_ms", BigInteger, nullable=False),
    # Whose lease it is; null: nobody works on it.
    Column("held_by", String(64)),
    # The class of device that it began on, `cpu` or `cuda`: it goes on on the same.
    Column("device", String(16)),
    # Below the trainer's own folder: checkpoints, metrics.
    Column("folder", String(128), nullable=False),
    Column("step", Integer, nullable=False),
    Column("steps", Integer, nullable=False),
    # Of the latest step, micro-nats.
    Column("loss_micro", BigInteger),
    # JSON [[step, loss in micro-nats], …], thinned.
    Column("curve", Text, nullable=False),
    Column("device_ms", BigInteger, nullable=False),
    Column("wanted_off", Boolean, nullable=False),
    Column("reason", Text),
    # `agon-data/1`, `agon-training/1`, `agon-adapter/1`.
    Column("data", CID),
    Column("manifest", CID),
    Column("adapter", CID),
    Column("gate", ID),
    # The version that the candidate became.
    Column("promoted", ID, ForeignKey("agent_version.id")),
    Column("created_ms", BigInteger, nullable=False),
    Column("started_ms", BigInteger),
    Column("moved_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    CheckConstraint(
        "state IN ('queued', 'collecting', 'training', 'packaging', 'gating',"
        " 'promoted', 'kept', 'failed', 'cancelled')",
        name="state",
    ),
    CheckConstraint(
        "(state IN ('promoted', 'kept', 'failed', 'cancelled')) = (ended_ms IS NOT NULL)",
        name="ended",
    ),
    Index(None, "agent", "space", "created_ms"),
    Index(None, "state", "due_ms"),
)

adapter = Table(
    "adapter",
    metadata,
    # Of its card, `agon-adapter/1`.
    Column("card", CID, primary_key=True),
    Column("weights", CID, nullable=False),
    # Converted for llama.cpp; null: not converted.
    Column("gguf", CID),
    # What the model server calls it; never given twice.
    Column("name", String(128), unique=True),
    Column("owner", ID, ForeignKey("account.id"), nullable=False),
    Column("agent", ID, ForeignKey("agent.id"), nullable=False),
    Column("space", SPACE, nullable=False),
    # Of the file that the base weights were read from, hex.
    Column("base_sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    # The card of the adapter that its training went on from.
    Column("parent", CID),
    Column("created_ms", BigInteger, nullable=False),
    # When its blocks were let go.
    Column("retired_ms", BigInteger),
    Index(None, "agent", "created_ms"),
    Index(None, "owner", "created_ms"),
)
