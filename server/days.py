"""Days as the arena counts them: in UTC. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

DAY_MS = 86_400_000


def day_of(at_ms: int) -> str:
    """The day in UTC, as in `2026-11-27`."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).date().isoformat()


def day_began_ms(at_ms: int) -> int:
    return at_ms - at_ms % DAY_MS
