"""Streams whose coins fall either way: what brute force needs to see both sides of a tie in Bid Tac Toe."""

from __future__ import annotations

from functools import cache

from spaces.seed import Streams


@cache
def coin_falls(ply: int) -> tuple[Streams, Streams]:
    """Streams whose coin for a tie at `ply` falls to X, and to O."""
    tossed = {
        streams.coin(f"coin:{ply}"): streams
        for streams in (Streams(bytes([n]) * 32) for n in range(64))
    }
    return tossed[0], tossed[1]
