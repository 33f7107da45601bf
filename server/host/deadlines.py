"""When which session must be looked at next. Pure."""

from __future__ import annotations

import heapq

_SLACK = 64


class Deadlines:
    """A heap of (unix ms, session) with one live entry a session; stale ones are skipped."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._at: dict[str, int] = {}

    def set(self, session: str, at_ms: int | None) -> None:
        """Replace the session's deadline; None: it has none."""
        if at_ms is None:
            self._at.pop(session, None)
        elif self._at.get(session) != at_ms:
            self._at[session] = at_ms
            heapq.heappush(self._heap, (at_ms, session))
            if len(self._heap) > _SLACK + 4 * len(self._at):
                self._heap = [(at, name) for name, at in self._at.items()]
                heapq.heapify(self._heap)

    def due(self, now_ms: int) -> list[str]:
        """Take out the sessions whose deadline has come; they must be `set` again."""
        sessions: list[str] = []
        while self._heap and self._heap[0][0] <= now_ms:
            at, session = heapq.heappop(self._heap)
            if self._at.get(session) == at:
                del self._at[session]
                sessions.append(session)
        return sessions
