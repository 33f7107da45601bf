"""What is learnt from and what is kept to be measured on. Pure.

A session is one thing: it is learnt from as a whole or not at all. It is held out with any of its players,
with its seed (so that the second match of a seat-flipped pair goes where the first goes), or by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Annotated

import msgspec
from msgspec import Meta


class HeldOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What no example is made of."""

    players: tuple[str, ...] = ()
    """Versions, `<agent>@v<number>`. A session whose players are not told is then held out, too."""
    seeds: tuple[str, ...] = ()
    """In hex."""
    sessions: tuple[str, ...] = ()
    """Transcripts' CIDs."""
    share_milli: Annotated[int, Meta(ge=0, le=1_000)] = 0
    """Besides, of all seeds this share, drawn by a hash of the seed."""


def is_held_out(held: HeldOut, *, session: str, seed: str, players: Collection[str]) -> bool:
    """Whether a session may not be learnt from. `players` is empty where they are secret."""
    if session in held.sessions or seed in held.seeds:
        return True
    if held.players and (not players or not set(held.players).isdisjoint(players)):
        return True
    return _drawn(seed) < held.share_milli


def _drawn(seed: str) -> int:
    """0 .. 999, the same for equal seeds."""
    return int.from_bytes(hashlib.sha256(f"agon-split/1:{seed}".encode()).digest()[:8]) % 1_000
