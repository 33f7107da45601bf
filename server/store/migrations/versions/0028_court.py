"""The court: its cases, hearings, seats and messages, and the answers of hidden audits. Transcripts of judged sessions are pinned before
they are judged, so that judges can fetch them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "court_audit",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_court_audit")),
    )
    op.create_table(
        "court_case",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("space", sa.String(64), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger()),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary()),
        sa.Column("cid", sa.String(64)),
        sa.Column("epoch", sa.BigInteger()),
        sa.CheckConstraint("state IN ('open', 'final', 'void')", name=op.f("ck_court_case_state")),
        sa.CheckConstraint(
            "(state = 'open') = (closed_ms IS NULL)", name=op.f("ck_court_case_closed")
        ),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_court_case_session")),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_court_case")),
        sa.UniqueConstraint("case_id", name=op.f("uq_court_case_case_id")),
    )
    op.create_index(op.f("ix_court_case_state_closed_ms"), "court_case", ["state", "closed_ms"])
    op.create_index(op.f("ix_court_case_space_closed_ms"), "court_case", ["space", "closed_ms"])
    op.create_index(op.f("ix_court_case_epoch_closed_ms"), "court_case", ["epoch", "closed_ms"])
    op.create_table(
        "court_hearing",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("hearing", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('wanted', 'filed', 'committing', 'revealing', 'decided', 'failed', 'forced')",
            name=op.f("ck_court_hearing_state"),
        ),
        sa.ForeignKeyConstraint(
            ["session"], ["court_case.session"], name=op.f("fk_court_hearing_session")
        ),
        sa.PrimaryKeyConstraint("session", "hearing", name=op.f("pk_court_hearing")),
    )
    op.create_table(
        "court_seat",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("hearing", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("place", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("judge", sa.String(42), nullable=False),
        sa.Column("operator", sa.String(42), nullable=False),
        sa.Column("family", sa.String(64), nullable=False),
        sa.Column("reserve", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("bound", sa.Boolean(), nullable=False),
        sa.Column("ordinal", sa.BigInteger()),
        sa.Column("skill", sa.BigInteger()),
        sa.Column("pay", sa.BigInteger(), nullable=False),
        sa.Column("slash", sa.String(80), nullable=False),
        sa.Column("drawn_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('drawn', 'committed', 'revealed', 'absent', 'replaced')",
            name=op.f("ck_court_seat_state"),
        ),
        sa.ForeignKeyConstraint(
            ["session", "hearing"],
            ["court_hearing.session", "court_hearing.hearing"],
            name=op.f("fk_court_seat_session_hearing"),
        ),
        sa.PrimaryKeyConstraint("session", "hearing", "place", name=op.f("pk_court_seat")),
        sa.UniqueConstraint(
            "session", "hearing", "judge", name=op.f("uq_court_seat_session_hearing_judge")
        ),
        sa.UniqueConstraint("judge", "ordinal", name=op.f("uq_court_seat_judge_ordinal")),
    )
    op.create_index(op.f("ix_court_seat_judge_drawn_ms"), "court_seat", ["judge", "drawn_ms"])
    op.create_table(
        "court_message",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("hearing", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["session", "hearing"],
            ["court_hearing.session", "court_hearing.hearing"],
            name=op.f("fk_court_message_session_hearing"),
        ),
        sa.PrimaryKeyConstraint("session", "hearing", "number", name=op.f("pk_court_message")),
    )
    op.execute("UPDATE outbox SET rank = 0 WHERE step = 'pin' AND state = 'waiting'")
