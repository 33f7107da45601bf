"""The tables of what lasts. One metadata for SQLite and PostgreSQL.

The migrations in `migrations/` build exactly this (a test compares the two on both databases). Times
are integer unix milliseconds; documents are kept as the bytes they were signed or hashed as; other
JSON is text that the database never looks into. Money is integer micros, its tables are in
`money.py`, points and shares in `merit.py`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

ID = String(64)
NAME = String(64)
SPACE = String(64)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

account = Table(
    "account",
    metadata,
    Column("id", ID, primary_key=True),
    # EIP-55; null until a wallet signs in. Only an account with a wallet can be paid.
    Column("wallet", String(42), index=True, unique=True),
    Column("created_ms", BigInteger, nullable=False),
)

account_role = Table(
    "account_role",
    metadata,
    Column("account", ID, ForeignKey("account.id"), primary_key=True),
    Column("role", String(16), primary_key=True),
    CheckConstraint("role IN ('admin', 'judge', 'operator')", name="role"),
)

login = Table(
    "login",
    metadata,
    # SHA-256 of the opaque token, hex.
    Column("hash", String(64), primary_key=True),
    Column("account", ID, ForeignKey("account.id"), nullable=False, index=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
)

agent = Table(
    "agent",
    metadata,
    Column("id", ID, primary_key=True),
    Column("owner", ID, ForeignKey("account.id"), nullable=False),
    Column("name", NAME, nullable=False),
    # `names.fold(name)`: two names that read alike are one.
    Column("name_key", String(256), nullable=False),
    # `remote` is played by its owner's bot, `hosted` by our runner.
    Column("kind", String(16), nullable=False),
    # The number of the version that plays now; no foreign key, since the two tables would need each other.
    Column("plays", Integer, nullable=False),
    # The owner's words, for the public page.
    Column("about", String(280), nullable=False, server_default=""),
    Column("created_ms", BigInteger, nullable=False),
    # It plays no more; its record stays.
    Column("archived_ms", BigInteger),
    # Stopped by an admin, for the reason given.
    Column("frozen_ms", BigInteger),
    Column("frozen_reason", String(280)),
    # Rises with every edit, so that nobody writes over what he has not seen.
    Column("revision", Integer, nullable=False, server_default=text("1")),
    UniqueConstraint("owner", "name_key"),
    CheckConstraint("kind IN ('remote', 'hosted')", name="kind"),
)

agent_version = Table(
    "agent_version",
    metadata,
    # `<agent>@v<number>`
    Column("id", ID, primary_key=True),
    Column("agent", ID, ForeignKey("agent.id"), nullable=False),
    Column("number", Integer, nullable=False),
    # JSON `server.agents.spec.VersionSpec`; `{}` of an agent whose owner tells nothing.
    Column("spec", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("agent", "number"),
)

api_key = Table(
    "api_key",
    metadata,
    # SHA-256 of the key, hex; the key itself is nowhere.
    Column("hash", String(64), primary_key=True),
    # What the key is called when it is listed or revoked.
    Column("id", ID, nullable=False, unique=True),
    Column("account", ID, ForeignKey("account.id"), nullable=False, index=True),
    # The one agent that it speaks for; null for a key of the account.
    Column("agent", ID, ForeignKey("agent.id"), index=True),
    # Comma-separated: read, play, manage, money.
    Column("scopes", String(64), nullable=False),
    Column("label", NAME, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger, index=True),
)

avatar = Table(
    "avatar",
    metadata,
    Column("agent", ID, ForeignKey("agent.id"), primary_key=True),
    Column("png", LargeBinary, nullable=False),
    # SHA-256 of the png, hex: its entity tag.
    Column("digest", String(64), nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("id", ID, primary_key=True),
    Column("space", SPACE, nullable=False),
    Column("rules", String(64), nullable=False),
    Column("tier_micros", BigInteger, nullable=False),
    # `formed` until its live log is open, then `live`, then `ended` or `void`.
    Column("status", String(8), nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("sealed_ms", BigInteger, index=True),
    # msgpack SessionRecord: secret until sealed (it holds the seed), and the salts even longer.
    Column("record", LargeBinary, nullable=False),
    Column("outcome", Text),
    Column("digest", String(64)),
    CheckConstraint("status IN ('formed', 'live', 'ended', 'void')", name="status"),
    CheckConstraint(
        "(status IN ('ended', 'void')) = (digest IS NOT NULL AND sealed_ms IS NOT NULL)",
        name="sealed",
    ),
    Index(None, "space", "id"),
    Index(None, "status", "id"),
)

entry = Table(
    "entry",
    metadata,
    Column("session", ID, ForeignKey("session.id"), primary_key=True),
    Column("seat", Integer, primary_key=True),
    Column("agent", ID, ForeignKey("agent.id"), nullable=False),
    Column("version", ID, ForeignKey("agent_version.id"), nullable=False),
    # As they were when the session was formed.
    Column("name", NAME, nullable=False),
    Column("rating_milli", Integer),
    # Who plays the seat, as `agent.kind` was when it was queued; null: whoever has a key of the agent.
    Column("kind", String(16)),
    # The ticket whose hold paid the entry; null where nothing was paid, as in a tournament.
    Column("ticket", String(112)),
    # Written when the session is settled: competition rank (null when void), thousandths of the score
    # as the Space counts it or as the judges gave it, micros of the tier's asset won (a refund included).
    Column("rank", Integer),
    Column("score_milli", BigInteger),
    Column("won_micros", BigInteger),
    Index(None, "agent", "session"),
)

transcript = Table(
    "transcript",
    metadata,
    Column("session", ID, ForeignKey("session.id"), primary_key=True),
    Column("digest", String(64), nullable=False),
    # The canonical bytes, at most 1 MiB (PROOFS).
    Column("document", LargeBinary, nullable=False),
    # Whose signature they bear, EIP-55; null: none, or none yet (`server.settlement.documents`).
    Column("signer", String(42)),
)

result_document = Table(
    "result_document",
    metadata,
    # The signed `agon-result/1` of a session, as it is handed out for ever. Without a chain none is kept.
    Column("session", ID, ForeignKey("session.id"), primary_key=True),
    Column("document", LargeBinary, nullable=False),
    Column("cid", String(64), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
)

agent_signing_key = Table(
    "agent_signing_key",
    metadata,
    # The address, EIP-55, by whose key the agent's seats sign what they played. No row: they sign nothing.
    Column("agent", ID, ForeignKey("agent.id"), primary_key=True),
    Column("address", String(42), nullable=False),
    Column("set_ms", BigInteger, nullable=False),
)

seat_signature = Table(
    "seat_signature",
    metadata,
    # What a seat has signed of its session's transcript; it goes into the result.
    Column("session", ID, ForeignKey("session.id"), primary_key=True),
    Column("seat", Integer, primary_key=True),
    # The address that was the agent's signing key then, EIP-55.
    Column("signer", String(42), nullable=False),
    # 65 bytes, hex with 0x.
    Column("value", String(132), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
)

verdict = Table(
    "verdict",
    metadata,
    Column("session", ID, ForeignKey("session.id"), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

rating = Table(
    "rating",
    metadata,
    Column("space", SPACE, primary_key=True),
    Column("version", ID, ForeignKey("agent_version.id"), primary_key=True),
    Column("mu_milli", Integer, nullable=False),
    Column("sigma_milli", Integer, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("wins", Integer, nullable=False),
)

rating_applied = Table(
    "rating_applied",
    metadata,
    # One row per rated session: the guard that makes rating happen once.
    Column("session", ID, ForeignKey("session.id"), primary_key=True),
    # JSON of the rows that were applied.
    Column("rows", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", ID, primary_key=True),
    Column("session", ID, ForeignKey("session.id"), nullable=False),
    Column("step", String(16), nullable=False),
    # A step waits until the session's steps of lower rank are done.
    Column("rank", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    # Started so far; the number of the latest one is what its worker is known by.
    Column("attempts", Integer, nullable=False),
    # Those of them that do not count: before the last redrive, or by workers that stopped in good order.
    Column("spared", Integer, nullable=False, server_default="0"),
    # waiting: not before; running: the attempt counts as lost after.
    Column("due_ms", BigInteger, nullable=False),
    Column("last_error", Text),
    UniqueConstraint("session", "step"),
    CheckConstraint("state IN ('waiting', 'running', 'done', 'dead', 'void')", name="state"),
    # Step before time: a step that nobody can do for hours must not stand before those that can be done.
    Index(None, "state", "step", "due_ms"),
)

pin = Table(
    "pin",
    metadata,
    # Whose transcript is kept in the content store.
    Column("session", ID, ForeignKey("session.id"), primary_key=True),
    # CIDv1 of the transcript's block, as text.
    Column("cid", String(64), nullable=False),
    Column("bytes", Integer, nullable=False),
    # In which the session was sealed.
    Column("season", Integer, nullable=False),
    # `lost`: `agon pins verify` did not find it.
    Column("state", String(8), nullable=False),
    Column("pinned_ms", BigInteger, nullable=False),
    CheckConstraint("state IN ('pinned', 'lost')", name="state"),
    Index(None, "season", "session"),
)

document_pin = Table(
    "document_pin",
    metadata,
    # What is kept in the content store besides transcripts: `result`, `epoch` or `payouts`.
    Column("kind", String(8), primary_key=True),
    # The session, or the number of the epoch.
    Column("name", ID, primary_key=True),
    Column("cid", String(64), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("season", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("pinned_ms", BigInteger, nullable=False),
    CheckConstraint("kind IN ('result', 'epoch', 'payouts')", name="kind"),
    CheckConstraint("state IN ('pinned', 'lost')", name="state"),
    Index(None, "season", "kind", "name"),
)

pin_task = Table(
    "pin_task",
    metadata,
    # 1, 2, 3, … without a hole, in the order in which they were given: whoever has seen N asks for what comes after.
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("cid", String(64), nullable=False, unique=True),
    Column("bytes", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    # What it is of: a session's id, or another document's name (`epoch:7`).
    Column("session", ID, nullable=False),
    Column("given_ms", BigInteger, nullable=False),
)

tournament = Table(
    "tournament",
    metadata,
    Column("id", ID, primary_key=True),
    # The account that made it; `house` for the operator's own.
    Column("owner", ID, nullable=False),
    Column("space", SPACE, nullable=False),
    Column("status", String(8), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    # JSON `tournament.setup.Setup`.
    Column("setup", Text, nullable=False),
    # Secret until it has ended.
    Column("seed", LargeBinary, nullable=False),
    # JSON of the final standings.
    Column("standings", Text),
    # Hex, as it was published; null where it was made before 0003, when it was of the seed alone.
    Column("seed_commit", String(64)),
    CheckConstraint("status IN ('running', 'ended')", name="status"),
    CheckConstraint(
        "(status = 'ended') = (ended_ms IS NOT NULL AND standings IS NOT NULL)", name="ended"
    ),
    Index(None, "status", "id"),
    Index(None, "owner", "status"),
)

tournament_entrant = Table(
    "tournament_entrant",
    metadata,
    Column("tournament", ID, ForeignKey("tournament.id"), primary_key=True),
    # The place in the order of seeds, from 0 on.
    Column("entrant", Integer, primary_key=True),
    Column("agent", ID, ForeignKey("agent.id"), nullable=False),
    Column("version", ID, ForeignKey("agent_version.id"), nullable=False),
    Column("owner", ID, nullable=False),
    # As they were when it was made.
    Column("name", NAME, nullable=False),
    Column("rating_milli", Integer),
    # Sessions it plays at once, at most; null: the tournament's number.
    Column("at_once", Integer),
    UniqueConstraint("tournament", "agent"),
)

tournament_game = Table(
    "tournament_game",
    metadata,
    Column("tournament", ID, ForeignKey("tournament.id"), primary_key=True),
    # In the order in which they were formed, from 0 on; one row per attempt.
    Column("number", Integer, primary_key=True),
    # JSON `tournament.fixture.Fixture`.
    Column("fixture", Text, nullable=False),
    Column("name", String(64), nullable=False),
    Column("attempt", Integer, nullable=False),
    # No foreign key: this row is written first, so that a game is formed once whoever dies.
    Column("session", ID, nullable=False, unique=True),
    Column("state", String(8), nullable=False),
    # JSON, ranks by seat.
    Column("ranks", Text),
    Column("reason", Text),
    UniqueConstraint("tournament", "name", "attempt"),
    CheckConstraint("state IN ('live', 'scored', 'void')", name="state"),
    CheckConstraint("(state = 'scored') = (ranks IS NOT NULL)", name="scored"),
)
