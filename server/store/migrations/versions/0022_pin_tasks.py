"""What node operators are asked to keep, numbered; what is pinned already is asked for first."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pin_task",
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("cid", sa.String(64), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("given_ms", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("cid", name=op.f("uq_pin_task_cid")),
    )
    op.execute(
        "INSERT INTO pin_task (number, cid, bytes, kind, session, given_ms)"
        " SELECT row_number() OVER (ORDER BY given_ms, cid), cid, bytes, kind, session, given_ms FROM ("
        "  SELECT cid, bytes, 'transcript' AS kind, session, pinned_ms AS given_ms FROM pin"
        "  UNION ALL"
        "  SELECT cid, bytes, kind, CASE kind WHEN 'result' THEN name ELSE 'epoch:' || name END, pinned_ms FROM document_pin"
        " ) AS kept"
    )
