"""The tables of money: the ledger, what is held for tickets, what came of sessions, the limits that owners set.

The database itself refuses what must never be: a transfer changed or taken back (triggers), a pending one
resolved twice (a unique column), a limit broken (checks).
"""

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
    false,
    text,
)

from server.store.schema import ID, SPACE, metadata

LEDGER_ID = String(128)
ASSET = String(8)
TICKET = String(112)

ledger_account = Table(
    "ledger_account",
    metadata,
    Column("id", LEDGER_ID, primary_key=True),
    Column("asset", ASSET, nullable=False),
    # `debits`: debits, the pending ones included, never exceed the posted credits; `credits`: the reverse.
    Column("bound", String(8), nullable=False),
    Column("debits_pending", BigInteger, nullable=False),
    Column("debits_posted", BigInteger, nullable=False),
    Column("credits_pending", BigInteger, nullable=False),
    Column("credits_posted", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    CheckConstraint("bound IN ('none', 'debits', 'credits')", name="bound"),
    CheckConstraint(
        "debits_pending >= 0 AND debits_posted >= 0 AND credits_pending >= 0 AND credits_posted >= 0",
        name="counters",
    ),
    CheckConstraint(
        "bound <> 'debits' OR debits_pending + debits_posted <= credits_posted",
        name="debits_limit",
    ),
    CheckConstraint(
        "bound <> 'credits' OR credits_pending + credits_posted <= debits_posted",
        name="credits_limit",
    ),
)

ledger_transfer = Table(
    "ledger_transfer",
    metadata,
    # The order in which one account saw its transfers: given while the account's row is locked.
    Column(
        "seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    ),
    Column("id", LEDGER_ID, nullable=False, unique=True),
    Column("kind", String(8), nullable=False),
    Column("debit", LEDGER_ID, ForeignKey("ledger_account.id"), nullable=False),
    Column("credit", LEDGER_ID, ForeignKey("ledger_account.id"), nullable=False),
    Column("asset", ASSET, nullable=False),
    Column("micros", BigInteger, nullable=False),
    # Of a post or void: the pending transfer, which is resolved once.
    Column("pending", LEDGER_ID, ForeignKey("ledger_transfer.id"), unique=True),
    # Why: `entry`, `winnings`, `fee`, `refund`, `deposit`, `withdrawal`, `fund`, `grant`, `hold`.
    Column("code", String(16), nullable=False),
    # What it is about: a session, a ticket, a deposit.
    Column("about", LEDGER_ID),
    Column("made_ms", BigInteger, nullable=False),
    # Posted credits less posted debits of the two accounts, after it.
    Column("debit_balance_micros", BigInteger, nullable=False, server_default=text("0")),
    Column("credit_balance_micros", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("kind IN ('posted', 'pending', 'post', 'void')", name="kind"),
    CheckConstraint("micros > 0", name="micros"),
    CheckConstraint("debit <> credit", name="two_accounts"),
    CheckConstraint("(kind IN ('post', 'void')) = (pending IS NOT NULL)", name="pending"),
    Index(None, "debit", "seq"),
    Index(None, "credit", "seq"),
    Index(None, "about"),
    sqlite_autoincrement=True,
)

hold = Table(
    "hold",
    metadata,
    Column("ticket", TICKET, primary_key=True),
    Column("agent", ID, ForeignKey("agent.id"), nullable=False),
    Column("space", SPACE, nullable=False),
    Column("tier_micros", BigInteger, nullable=False),
    Column("asset", ASSET, nullable=False),
    Column("micros", BigInteger, nullable=False),
    # `held` in a queue, `spent` on a session, `settled` with it, `released` back to the agent.
    Column("state", String(8), nullable=False),
    Column("session", ID),
    # The run of the agent's automation in which it was entered; null: by hand while none was on.
    Column("run", Integer),
    Column("made_ms", BigInteger, nullable=False),
    # The latest run that found it open when it began: it counts against that one then.
    Column("carried_to", Integer),
    CheckConstraint("state IN ('held', 'spent', 'settled', 'released')", name="state"),
    CheckConstraint("(state IN ('spent', 'settled')) = (session IS NOT NULL)", name="session"),
    Index(None, "state", "made_ms"),
    Index(None, "session"),
    Index(None, "agent", "state"),
)

automation = Table(
    "automation",
    metadata,
    Column("agent", ID, ForeignKey("agent.id"), primary_key=True),
    Column("state", String(8), nullable=False),
    # JSON `server.automation.Limits`.
    Column("limits", Text, nullable=False),
    # The asset of the tier, in which the run counts.
    Column("asset", ASSET, nullable=False),
    # Counters of the run, see `server.automation.Run`.
    Column("run", Integer, nullable=False),
    Column("begun", Integer, nullable=False),
    Column("open", Integer, nullable=False),
    Column("at_risk_micros", BigInteger, nullable=False),
    Column("profit_micros", BigInteger, nullable=False),
    Column("missed", Integer, nullable=False, server_default="0"),
    # Why it is stopped, in words for its owner.
    Column("reason", String(280)),
    Column("changed_ms", BigInteger, nullable=False),
    # When the next entry is to be tried; null while none can be.
    Column("due_ms", BigInteger, index=True),
    # Whether the agent's channel has yet to hear of the state.
    Column("untold", Boolean, nullable=False, server_default=false(), index=True),
    CheckConstraint("state IN ('on', 'off', 'stopped')", name="state"),
    CheckConstraint("(state = 'stopped') = (reason IS NOT NULL)", name="reason"),
    CheckConstraint("begun >= 0 AND open >= 0 AND at_risk_micros >= 0", name="counters"),
    Index(None, "state"),
)

result = Table(
    "result",
    metadata,
    Column("session", ID, ForeignKey("session.id"), primary_key=True),
    # `settled` or `void`, as in `agon-result/1` (PROOFS).
    Column("status", String(8), nullable=False),
    Column("reason", String(280)),
    Column("asset", ASSET, nullable=False),
    Column("pot_micros", BigInteger, nullable=False),
    # JSON: ranks by seat (null when void), pay-outs [{to, amount}], fees {protocol, judges, operators}.
    Column("ranks", Text),
    Column("payouts", Text, nullable=False),
    Column("fees", Text, nullable=False),
    Column("settled_ms", BigInteger, nullable=False),
    CheckConstraint("status IN ('settled', 'void')", name="status"),
    CheckConstraint("(status = 'settled') = (ranks IS NOT NULL)", name="ranks"),
    Index(None, "settled_ms"),
)

crossing = Table(
    "crossing",
    metadata,
    # A deposit or withdrawal on its way across the border between ledger and chain.
    Column("id", ID, primary_key=True),
    Column("account", ID, ForeignKey("account.id"), nullable=False),
    Column("direction", String(16), nullable=False),
    Column("asset", ASSET, nullable=False),
    Column("micros", BigInteger, nullable=False),
    # `pending` until the chain says so; `confirmed` or `failed` for good.
    Column("state", String(16), nullable=False),
    # Where from or to, EIP-55.
    Column("wallet", String(42), nullable=False),
    # What the chain calls it: a transaction hash, or what the simulation made up.
    Column("reference", String(80)),
    Column("reason", String(280)),
    Column("made_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    CheckConstraint("direction IN ('deposit', 'withdrawal')", name="direction"),
    CheckConstraint("state IN ('pending', 'confirmed', 'failed')", name="state"),
    Index(None, "state", "made_ms"),
    Index(None, "account", "made_ms", "id"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("account", ID, ForeignKey("account.id"), primary_key=True),
    # The client's `Idempotency-Key`.
    Column("key", String(128), primary_key=True),
    # SHA-256 of method, path and body: the same key with another request is refused.
    Column("request", String(64), nullable=False),
    # The answer; null while the first request is being answered.
    Column("status", Integer),
    Column("body", Text),
    Column("location", String(256)),
    Column("made_ms", BigInteger, nullable=False),
    Index(None, "made_ms"),
)
