"""A session in the hands of this host: its match and the mark of its lease."""

from __future__ import annotations

from server.live import keys
from server.live.log import Append, Loaded
from server.match import Match


class Held:
    """One lease. What is appended under it carries its mark.

    The log itself stays in Redis: thousands of sessions would cost memory, and garbage collections
    that stop the tick.
    """

    def __init__(self, host: str, token: int, loaded: Loaded, retry_ms: int) -> None:
        self.record = loaded.record
        self.session = loaded.record.session
        self.token = token
        self._mark = keys.lease_mark(token, host)
        self.match = Match(self.record, loaded.events, retry_ms=retry_ms)
        self._retry_ms = retry_ms

    def void(self, loaded: Loaded, reason: str, now_ms: int) -> None:
        """Forget what is not in the log, and void."""
        self.match = Match(self.record, loaded.events, retry_ms=self._retry_ms)
        self.match.void(reason, now_ms)

    def batch(self, *, seal: bool = False) -> Append | None:
        """The match's new events, to be appended; None when there are none.

        The batch's name says who wrote it and where it begins, so that repeating it is harmless.
        """
        if not self.match.changed:
            return None
        views = self.match.views()
        events = self.match.take_events()
        first = self.match.offset - len(events)
        name = f"{self._mark}.{first}"
        return Append(self.session, self._mark, name, events, views, seal, first)
