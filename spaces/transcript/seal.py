"""Making a transcript: the order of its entries, their chain, the root, the revealed seed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from spaces import canonical, merkle
from spaces.seed import commitment
from spaces.space import Outcome
from spaces.transcript.document import MAX_BYTES, VERSION, SeatCommit, TranscriptError

GENESIS = "0" * 64
"""`prev` of the first entry."""

ENTRY_TYPES = frozenset(
    {
        "open",
        "action",
        "fault",
        "deadline",
        "forfeit",
        "reveal",
        "oracle",
        "note",
        "void",
        "end",
        "annotation",
    }
)
"""What of a session's log is an entry. `turn` and `inquiry` follow from the rules; the rest comes
later."""

_UNSEALING = frozenset({"reveal", "note", "end", "void"})
"""A note is told when a turn is over; before its reveal only if the session ends without one."""
VOID = Outcome("void", None)


class Draft(msgspec.Struct, frozen=True):
    """An entry before it is numbered and chained; fields as in `Entry`."""

    t: int
    by: str
    type: str
    body: dict[str, Any]


def seat_commit(version: str, salt: bytes) -> str:
    """The hex commitment to an agent's version: SHA-256(salt[32] || utf8(version))."""
    if len(salt) != 32:
        raise ValueError(f"a salt has 32 bytes, got {len(salt)}")
    return hashlib.sha256(salt + version.encode()).hexdigest()


def order(events: Iterable[tuple[Draft, int | None]]) -> list[Draft]:
    """The entries of a transcript from the events of a log, each with its `secret_to`.

    A sealed action (`secret_to` is its seat) moves right before the `reveal`, `end` or `void` that
    made it public, or the notes before that `end`, in seat order. Events that are not entries are left out.
    """
    entries: list[Draft] = []
    waiting: list[tuple[int, Draft]] = []
    for draft, secret_to in events:
        if draft.type not in ENTRY_TYPES:
            continue
        if secret_to is not None:
            waiting.append((secret_to, draft))
            continue
        if draft.type in _UNSEALING:
            entries += [sealed for _, sealed in sorted(waiting, key=lambda one: one[0])]
            waiting = []
        entries.append(draft)
    if waiting:
        raise TranscriptError(f"{len(waiting)} sealed actions were never revealed")
    return entries


def seal(
    *,
    session: str,
    space: str,
    rules: str,
    params: Mapping[str, Any],
    opened_ms: int,
    sealed_ms: int,
    seats: Sequence[SeatCommit],
    seed: bytes,
    entries: Sequence[Draft],
    outcome: Outcome | None,
) -> bytes:
    """The canonical bytes of the transcript, unsigned. An outcome of None is a voided session.

    `entries` are in the order of `order`. Raises TranscriptError for more than 1 MiB and
    CanonicalError for a value that has no canonical form.
    """
    chained, leaves = _chain(entries)
    document = canonical.encode(
        {
            "v": VERSION,
            "session": session,
            "space": space,
            "rules": rules,
            "params": params,
            "opened_ms": opened_ms,
            "sealed_ms": sealed_ms,
            "seats": [{"seat": one.seat, "commit": one.commit} for one in seats],
            "seed_commit": commitment(session, seed),
            "seed": seed.hex(),
            "entries": chained,
            "outcome": outcome_body(outcome or VOID),
            "root": merkle.root(leaves).hex(),
        }
    )
    if len(document) > MAX_BYTES:
        raise TranscriptError(f"{len(document)} bytes, a transcript has at most {MAX_BYTES}")
    return document


def outcome_body(outcome: Outcome) -> dict[str, Any]:
    returns = None if outcome.returns is None else list(outcome.returns)
    return {"termination": outcome.termination, "returns": returns}


def _chain(drafts: Sequence[Draft]) -> tuple[list[dict[str, Any]], list[bytes]]:
    """The entries with number and `prev`, and the canonical bytes of each."""
    chained: list[dict[str, Any]] = []
    leaves: list[bytes] = []
    prev = GENESIS
    for i, draft in enumerate(drafts):
        entry = {
            "i": i,
            "t": draft.t,
            "by": draft.by,
            "type": draft.type,
            "body": draft.body,
            "prev": prev,
        }
        leaf = canonical.encode(entry)
        prev = hashlib.sha256(leaf).hexdigest()
        chained.append(entry)
        leaves.append(leaf)
    return chained, leaves
