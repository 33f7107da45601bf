"""Each transfer says what it left its two accounts with, so that a page of a statement costs no more than its lines."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_SIDES = ("debit", "credit")
_SUMS = """
CREATE TEMPORARY TABLE ledger_sums AS
SELECT seq, account, CAST(SUM(moved) OVER (PARTITION BY account ORDER BY seq) AS BIGINT) AS balance
FROM (
    SELECT seq, debit AS account, CASE WHEN kind IN ('posted', 'post') THEN -micros ELSE 0 END AS moved FROM ledger_transfer
    UNION ALL
    SELECT seq, credit, CASE WHEN kind IN ('posted', 'post') THEN micros ELSE 0 END FROM ledger_transfer
) AS moves
"""
_FILL = """
UPDATE ledger_transfer SET {side}_balance_micros = s.balance
FROM ledger_sums AS s WHERE s.seq = ledger_transfer.seq AND s.account = ledger_transfer.{side}
"""


def upgrade() -> None:
    for side in _SIDES:
        column = sa.Column(
            f"{side}_balance_micros", sa.BigInteger(), nullable=False, server_default=sa.text("0")
        )
        op.add_column("ledger_transfer", column)
    _let_change()
    op.execute(_SUMS)
    op.execute("CREATE INDEX ix_ledger_sums ON ledger_sums (seq, account)")
    for side in _SIDES:
        op.execute(_FILL.format(side=side))
    op.execute("DROP TABLE ledger_sums")
    _never_change()


def _let_change() -> None:
    """For this once: what is written says nothing that the transfers did not say before."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER ledger_transfer_no_update")
    else:
        op.execute("ALTER TABLE ledger_transfer DISABLE TRIGGER ledger_transfer_no_change")


def _never_change() -> None:
    """As 0005 has it."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER ledger_transfer_no_update BEFORE UPDATE ON ledger_transfer "
            "BEGIN SELECT RAISE(ABORT, 'transfers are immutable'); END"
        )
    else:
        op.execute("ALTER TABLE ledger_transfer ENABLE TRIGGER ledger_transfer_no_change")
