"""What a step of the aftermath is, to the machinery that runs it."""

from __future__ import annotations

from typing import Protocol

from server.jobs.fence import Fence


class Step(Protocol):
    """One side effect on one session. `run` may be called again after any part of it has happened."""

    @property
    def name(self) -> str:
        """The outbox's word, e.g. `judge`."""

    @property
    def timeout_s(self) -> float:
        """An attempt that takes longer is cut off and has failed."""

    async def run(self, session: str, fence: Fence) -> dict[str, object]:
        """Do it, or see that it is done. Returns what the job's log line should say besides.

        `fence.check()` comes before every effect outside the database. Raises Permanent when trying again
        cannot help, anything else when it can.
        """

    async def give_up(self, session: str, reason: str) -> None:
        """All attempts have failed: undo what must not wait for people, tell whoever watches. Idempotent; whatever
        it raises, it is called again, a little later each time, before the row becomes a dead letter."""
