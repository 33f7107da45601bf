"""A session in the hands of this host: its match, its fencing token, its log so far."""

from __future__ import annotations

from server.live.log import Append, Loaded
from server.live.records import LogEvent
from server.match import Match


class Held:
    """One lease. What is appended under it carries its token."""

    def __init__(self, token: int, loaded: Loaded, retry_ms: int) -> None:
        self.record = loaded.record
        self.session = loaded.record.session
        self.token = token
        self.log: list[LogEvent] = loaded.events
        """The events that are in Redis."""
        self.match = Match(self.record, self.log, retry_ms=retry_ms)
        self._retry_ms = retry_ms

    def batch(self, *, seal: bool = False) -> Append | None:
        """The match's new events, to be appended; None when there are none.

        The batch's name says where it begins, so that repeating it is harmless.
        """
        if not self.match.changed:
            return None
        views = self.match.views()
        events = self.match.take_events()
        first = self.match.offset - len(events)
        name = f"{self.token}.{first}"
        return Append(self.session, self.token, name, events, views, seal, first)

    def void_unwritten(self, reason: str, now_ms: int) -> None:
        """Go back to what is in Redis, and void: the last events cannot be written."""
        self.match = Match(self.record, self.log, retry_ms=self._retry_ms)
        self.match.void(reason, now_ms)
