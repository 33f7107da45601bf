"""How a host is doing, for metrics and benchmarks."""

from __future__ import annotations

import msgspec


class HostStats(msgspec.Struct):
    """Plain numbers that the host keeps up to date; nobody else writes them."""

    sessions: int = 0
    """Held now, also those that are being sealed."""
    ticks: int = 0
    work_s: float = 0.0
    """Duration of the last tick, its appends included."""
    lateness_s: float = 0.0
    """How much later than its grid time the last tick started; 0 for one that started early."""
    events: int = 0
    """Appended since the start."""
    sealed: int = 0
    """Sessions sealed since the start."""
    outages: int = 0
    """Times at which Redis could not be reached or the process was stopped for long."""
