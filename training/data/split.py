"""What is learnt from and what is kept to be measured on. Pure.

A session is one thing: it is learnt from as a whole or not at all. It is held out with any of its players,
with its seed (so that the second match of a seat-flipped pair goes where the first goes), or by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
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


class Known(msgspec.Struct, frozen=True):
    """What of a session decides where it goes."""

    session: str
    """The transcript's CID."""
    seed: str
    players: tuple[str, ...] = ()
    """By seat; empty where they are secret."""


def split(sessions: Iterable[Known], held: HeldOut) -> tuple[list[Known], list[Known]]:
    """Those to learn from, and those held out, each in the order given. A seed of which one session is
    held out is held out altogether."""
    known = list(sessions)
    seeds = {each.seed for each in known if _is_named(each, held)}
    learnt = [each for each in known if each.seed not in seeds]
    return learnt, [each for each in known if each.seed in seeds]


def _is_named(each: Known, held: HeldOut) -> bool:
    if each.session in held.sessions or each.seed in held.seeds:
        return True
    if held.players and (not each.players or not set(held.players).isdisjoint(each.players)):
        return True
    return _drawn(each.seed) < held.share_milli


def _drawn(seed: str) -> int:
    """0 .. 999, the same for equal seeds."""
    return int.from_bytes(hashlib.sha256(f"agon-split/1:{seed}".encode()).digest()[:8]) % 1_000
