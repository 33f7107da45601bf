"""From a session's log to its transcript."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from server.live.records import LogEvent, SessionRecord
from spaces import transcript
from spaces.space import Outcome
from spaces.transcript import Draft, SeatCommit, TranscriptError, seat_commit


def document(record: SessionRecord, events: Sequence[LogEvent]) -> bytes:
    """The canonical bytes of a session that has ended or is void.

    A function of record and log alone: a host that takes over while sealing makes the same bytes, so
    sealing twice is harmless. Annotations that make it too large are left out: commentary is not worth
    the session. Raises ValueError while the session goes on, TranscriptError (over 1 MiB) and
    CanonicalError.
    """
    last = next((each for each in events if each.type in ("end", "void")), None)
    if last is None:
        raise ValueError(f"session {record.session} has not ended")
    bare = [each for each in events if each.type != "annotation"]
    if len(bare) < len(events):
        with contextlib.suppress(TranscriptError):
            return _sealed(record, events, last)
    return _sealed(record, bare, last)


def _sealed(record: SessionRecord, events: Sequence[LogEvent], last: LogEvent) -> bytes:
    # Only actions move to their reveal; the fault of a sealed action, though secret while the turn
    # lasted, stands where it happened.
    entries = transcript.order(
        (
            Draft(each.t, each.by, each.type, each.body),
            each.secret_to if each.type == "action" else None,
        )
        for each in events
    )
    return transcript.seal(
        session=record.session,
        space=record.space,
        rules=record.rules,
        params=record.params,
        opened_ms=record.opened_ms,
        sealed_ms=record.opened_ms + max(last.t, *(each.t for each in entries)),
        seats=[
            SeatCommit(each.seat, seat_commit(each.version, each.salt)) for each in record.seats
        ],
        seed=record.seed,
        entries=entries,
        outcome=_outcome(last),
    )


def _outcome(last: LogEvent) -> Outcome | None:
    if last.type == "void":
        return None
    returns = last.body["returns"]
    return Outcome(last.body["termination"], None if returns is None else tuple(returns))
