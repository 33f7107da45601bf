"""People: wallets, logins, roles, scoped keys, avatars; what agents and entries have besides."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_role",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.CheckConstraint(
            "role IN ('admin', 'judge', 'operator')", name=op.f("ck_account_role_role")
        ),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_account_role_account")),
        sa.PrimaryKeyConstraint("account", "role", name=op.f("pk_account_role")),
    )
    op.create_table(
        "login",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger()),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_login_account")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_login")),
    )
    op.create_index(op.f("ix_login_account"), "login", ["account"])
    op.create_table(
        "avatar",
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["agent"], ["agent.id"], name=op.f("fk_avatar_agent")),
        sa.PrimaryKeyConstraint("agent", name=op.f("pk_avatar")),
    )
    op.add_column("account", sa.Column("wallet", sa.String(length=42)))
    op.create_index(op.f("ix_account_wallet"), "account", ["wallet"], unique=True)
    op.add_column(
        "agent", sa.Column("about", sa.String(length=280), server_default="", nullable=False)
    )
    op.add_column("agent", sa.Column("archived_ms", sa.BigInteger()))
    op.add_column("agent", sa.Column("frozen_ms", sa.BigInteger()))
    op.add_column("agent", sa.Column("frozen_reason", sa.String(length=280)))
    op.add_column("entry", sa.Column("ticket", sa.String(length=112)))
    op.add_column("entry", sa.Column("rank", sa.Integer()))
    op.add_column("entry", sa.Column("score_milli", sa.BigInteger()))
    op.add_column("entry", sa.Column("won_micros", sa.BigInteger()))
    _widen_keys()


def _widen_keys() -> None:
    """Keys get a name and scopes, and may be of an account as a whole. Those there are may play."""
    op.add_column("api_key", sa.Column("id", sa.String(length=64)))
    op.add_column("api_key", sa.Column("account", sa.String(length=64)))
    op.add_column("api_key", sa.Column("scopes", sa.String(length=64)))
    op.add_column("api_key", sa.Column("label", sa.String(length=64)))
    op.execute(
        "UPDATE api_key SET id = 'k' || substr(hash, 1, 25), scopes = 'play', label = 'key', "
        "account = (SELECT owner FROM agent WHERE agent.id = api_key.agent)"
    )
    # Nothing refers to this table, so SQLite may make it anew.
    with op.batch_alter_table("api_key") as keys:
        keys.alter_column("agent", existing_type=sa.String(length=64), nullable=True)
        for name in ("id", "account", "scopes", "label"):
            keys.alter_column(name, existing_type=sa.String(length=64), nullable=False)
        keys.create_unique_constraint(op.f("uq_api_key_id"), ["id"])
        keys.create_foreign_key(op.f("fk_api_key_account"), "account", ["account"], ["id"])
    op.create_index(op.f("ix_api_key_account"), "api_key", ["account"])
