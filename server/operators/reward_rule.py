"""What an epoch pays to node operators: the whole published rule. Pure.

An epoch has a budget in FRAC, which is shared by *kept byte-seconds*: a block's bytes times the seconds of the epoch for which the
operator was bound to keep it by an attested leaf that equals the arena's own. Counted is who stands at the end of the epoch, and has
neither missed a challenge nor been exposed in it; everybody else earns nothing of it, and keeps what it earned before.

All numbers are whole: shares are rounded down, and what is left over is not paid. So the shares of an epoch are never more than its
budget, and what an operator has earned in all never falls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

GIB_DAY = 2**30 * 86_400
"""Byte-seconds of a GiB that is kept for a day."""


class Span(msgspec.Struct, frozen=True):
    """The seconds that an epoch is about: `from_s` to `to_s`, the latter not of it."""

    from_s: int
    to_s: int


class Kept(msgspec.Struct, frozen=True):
    """A good leaf of an operator."""

    task: int
    """Which block."""
    bytes: int
    at_s: int
    """When it was attested."""


def byte_seconds(leaves: Iterable[Kept], span: Span, retention_s: int) -> int:
    """What one operator has kept in the span. A block counts once at a time, however often it was attested: its leaves bind from
    their time on for `retention_s`."""
    total = 0
    of: dict[int, list[Kept]] = {}
    for leaf in leaves:
        of.setdefault(leaf.task, []).append(leaf)
    for same in of.values():
        reached = span.from_s
        for leaf in sorted(same, key=lambda each: each.at_s):
            begins = max(leaf.at_s, reached)
            ends = min(leaf.at_s + retention_s, span.to_s)
            if ends > begins:
                total += leaf.bytes * (ends - begins)
                reached = ends
    return total


def shares(kept: Mapping[str, int], budget: int) -> dict[str, int]:
    """FRAC (smallest part) of each operator by its byte-seconds; those who get nothing are left out."""
    whole = sum(kept.values())
    if whole == 0 or budget <= 0:
        return {}
    found = {who: budget * weight // whole for who, weight in kept.items()}
    return {who: amount for who, amount in found.items() if amount}


def cumulative(before: Mapping[str, int], earned: Mapping[str, int]) -> dict[str, int]:
    """What each has earned in all, by address: what the tree is made of."""
    return {who: before.get(who, 0) + earned.get(who, 0) for who in sorted({*before, *earned})}


def budget_of(wanted: int, funded: int, spent: int) -> int:
    """What an epoch may pay of the `wanted`: no more than was funded and is not spent by epochs before."""
    return max(0, min(wanted, funded - spent))


def counted(standing: Iterable[str], at_fault: Iterable[str]) -> list[str]:
    """Who shares in the epoch, in the order of their addresses: who stands at its end, without those that missed or were exposed."""
    return sorted({*standing} - {*at_fault})
