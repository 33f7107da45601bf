"""Operations: steps that a voided session needs no more, attempts spared by a redrive, an audit log that stays."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATES = "state IN ('waiting', 'running', 'done', 'dead', 'void')"


def upgrade() -> None:
    # Nobody refers to the outbox, so SQLite may build it anew.
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("spared", sa.Integer(), nullable=False, server_default="0"))
        outbox.drop_constraint(op.f("ck_outbox_state"), type_="check")
        outbox.create_check_constraint(op.f("ck_outbox_state"), STATES)
    op.create_index(op.f("ix_audit_act_id"), "audit", ["act", "id"])
    _never_change_the_audit_log()


def _never_change_the_audit_log() -> None:
    """What was done stays told, whoever asks: the database refuses UPDATE and DELETE."""
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{what.lower()} BEFORE {what} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit log is immutable'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_immutable() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is immutable'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_immutable()"
    )
