"""What a host hands to the store when a session is over."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from server.host.held import Held
from server.match import document
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
    """What follows, in order: `judge` when the rules leave it to judges, then `rate`; none if void."""


def sealed_of(held: Held) -> Sealed:
    """Seal the log of a finished session. Raises TranscriptError and CanonicalError."""
    status, outcome = held.match.status, held.match.outcome
    assert status != "live", "only what has ended is sealed"
    sealed = document(held.record, held.log)
    steps: tuple[str, ...] = ()
    if status == "ended":
        steps = ("judge", "rate") if outcome["returns"] is None else ("rate",)
    digest = transcript.digest(sealed)
    return Sealed(held.session, status, outcome, sealed, digest, steps)
