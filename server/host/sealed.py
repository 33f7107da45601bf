"""What a host hands to the store when a session is over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from server.live.records import LogEvent
from server.match import Match, document
from spaces import transcript


class Sealed(msgspec.Struct, frozen=True):
    """A finished session. Always the same for the same log, so keeping it twice is harmless."""

    session: str
    status: Literal["ended", "void"]
    outcome: dict[str, Any]
    """`{termination, returns}` or, when void, `{reason}`."""
    document: bytes
    """The transcript's canonical bytes."""
    digest: str
    steps: tuple[str, ...]
    """What follows, in order: `settle`, then `pin` and `rate`, of which neither waits for the other; when void `settle`, which gives
    the entries back, and `pin`. When the rules leave it to judges, `judge` comes first, and `pin` beside it: they fetch what is pinned."""


def sealed_of(match: Match, log: Sequence[LogEvent]) -> Sealed:
    """Seal the log of a finished match. Raises TranscriptError and CanonicalError."""
    status, outcome = match.status, match.outcome
    assert status != "live", "only what has ended is sealed"
    sealed = document(match.record, log)
    steps: tuple[str, ...] = ("settle", "pin")
    if status == "ended":
        judged = outcome["returns"] is None
        steps = ("pin", "judge", "settle", "rate") if judged else ("settle", "pin", "rate")
    digest = transcript.digest(sealed)
    return Sealed(match.record.session, status, outcome, sealed, digest, steps)
