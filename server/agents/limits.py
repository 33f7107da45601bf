"""How much one account may have and do, so that nobody floods the boards. Pure."""

from __future__ import annotations

import msgspec

DAY_MS = 24 * 3600 * 1000


class TooMany(Exception):
    """An account is at a limit; the message says which, and when to come back if waiting helps."""

    def __init__(self, reason: str, retry_after_s: int = 0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        """0: waiting does not help."""


class Limits(msgspec.Struct, frozen=True):
    """Of one account, all of its agents together."""

    agents: int
    """That are not archived."""
    versions_per_day: int
    """Made in the last 24 hours; a new agent makes one, too."""

    def check_agents(self, has: int) -> None:
        """Before one more agent is made or brought back. Raises TooMany."""
        if has >= self.agents:
            raise TooMany(
                f"the account has {has} agents; at most {self.agents} may be active, archive one first"
            )

    def check_versions(self, made: int, more: int, oldest_ms: int | None, now_ms: int) -> None:
        """Before `more` versions are made, where `made` of them are of the last day and the oldest of
        those was made at `oldest_ms`. Raises TooMany."""
        if made + more <= self.versions_per_day:
            return
        wait_ms = DAY_MS if oldest_ms is None else max(0, oldest_ms + DAY_MS - now_ms)
        raise TooMany(
            f"the account made {made} versions of agents in the last 24 hours; at most"
            f" {self.versions_per_day} are allowed",
            retry_after_s=wait_ms // 1000 + 1,
        )
