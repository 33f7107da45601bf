"""What a session starts with: event 0, and the views before the first turn."""

from __future__ import annotations

from server.live.records import LogEvent, SessionRecord, ViewSet
from server.match.engine import Match
from spaces.seed import commitment
from spaces.transcript import seat_commit


def open_event(record: SessionRecord) -> LogEvent:
    """Event 0. Says nothing of who sits where: the seats are commitments."""
    return LogEvent(
        t=0,
        by="host",
        type="open",
        body={
            "rules": record.rules,
            "params": record.params,
            "seats": [
                {"seat": each.seat, "commit": seat_commit(each.version, each.salt)}
                for each in record.seats
            ],
            "seed_commit": commitment(record.session, record.seed),
        },
    )


def initial_views(record: SessionRecord) -> ViewSet:
    """The views after event 0; a host tells the first turn."""
    return Match(record, [open_event(record)], retry_ms=0).views()
