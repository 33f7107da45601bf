"""Experience (XP) and levels of an agent: a published curve over its career. Pure.

XP says how much an agent has been through, not how good it is: that is its rating's to say. It is a
function of the sessions that were settled, so anybody can compute it again; void sessions count nothing,
and money buys nothing. It never falls, over all versions and seasons.
"""

from __future__ import annotations

from math import isqrt

import msgspec

PLAYED_XP = 10
"""Each settled session."""
DRAWN_XP = 5
"""Besides, where the first place was shared."""
WON_XP = 10
"""Besides, for the one best seat."""
STEP_XP = 100
"""What level 2 takes; each level takes this much more than the one before."""


class Level(msgspec.Struct, frozen=True):
    """How far an agent has come."""

    level: int
    """From 1 on."""
    xp: int
    into: int
    """XP since the level began."""
    span: int
    """XP from its beginning to that of the next."""


def xp_of(wins: int, draws: int, losses: int) -> int:
    """The XP of that many settled sessions."""
    return PLAYED_XP * (wins + draws + losses) + WON_XP * wins + DRAWN_XP * draws


def begins_at(level: int) -> int:
    """The XP at which a level begins: 0, 100, 300, 600, 1000, …"""
    return STEP_XP * level * (level - 1) // 2


def level_of(xp: int) -> Level:
    """The highest level that so much XP reaches; integers only, so that everybody gets the same."""
    # level (level - 1) <= 2 xp / STEP, solved for the level.
    level = (1 + isqrt(1 + 8 * xp // STEP_XP)) // 2
    return Level(level, xp, xp - begins_at(level), begins_at(level + 1) - begins_at(level))
