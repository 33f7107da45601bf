"""Times in a transcript: which Spaces keep time, and that no time contradicts another.

Whether a clock was right no replay can know. But where time decides, by a stamp or by when the world
told the answer, an entry must at least fit the entries around it.
"""

from __future__ import annotations

from typing import Any

from spaces.space import Decision, Space
from spaces.transcript.document import Entry, Transcript, TranscriptError


def keeps_time(space: Space[Any, Any, Any]) -> bool:
    """Whether the Space stamps actions.

    If so, the body of each action has `elapsed_ms`, and the stamped action must be what `stamp` makes
    of it: stamping anew replaces an older stamp.
    """
    return type(space).stamp is not Space.stamp


class Clock:
    """The time at each entry of one transcript. Entries stand in the order of their times, but for
    sealed actions, which stand at their reveal with the time at which they were given."""

    def __init__(self, transcript: Transcript) -> None:
        self._opened_ms = transcript.opened_ms
        self._last = transcript.sealed_ms - transcript.opened_ms
        self.t = 0
        """Of the last entry that stands at its own time."""
        self._given = 0
        """Of the latest sealed action that no such entry has followed yet."""
        self._sealed: int | None = None
        """Number of the entry that `decided` has found to be a sealed action."""

    def decided(self, entry: Entry, since: int, decision: Decision, elapsed_ms: int) -> None:
        """Check an action that answers `decision`, which was not open before `since`."""
        if entry.t < since:
            raise TranscriptError(
                f"an action at {entry.t} ms of a turn from {since} ms on", entry.i
            )
        if elapsed_ms > entry.t - since:
            raise TranscriptError(
                f"elapsed_ms {elapsed_ms} within {entry.t - since} ms of its turn", entry.i
            )
        not_after_ms = decision.not_after_ms
        if not_after_ms is not None and self._opened_ms + entry.t > not_after_ms:
            raise TranscriptError("an action that came when its answer was known", entry.i)
        if decision.sealed:
            self._sealed = entry.i

    def passed(self, entry: Entry) -> None:
        """Go past `entry`, which is otherwise in order."""
        if entry.t > self._last:
            raise TranscriptError(f"at {entry.t} ms, sealed at {self._last} ms", entry.i)
        if entry.i == self._sealed:
            self._given = max(self._given, entry.t)
            return
        if entry.t < self.t:
            raise TranscriptError(f"at {entry.t} ms, after an entry at {self.t} ms", entry.i)
        if entry.t < self._given:
            raise TranscriptError(
                f"at {entry.t} ms, but it reveals an action of {self._given} ms", entry.i
            )
        self.t, self._given = entry.t, 0
