"""What an epoch pays to node operators: the whole published rule. Pure.

An epoch has a budget in FRAC, which is shared by *kept byte-seconds*: a block's bytes times the seconds of the epoch for which the
operator was bound to keep it by an attested leaf that equals the arena's own, and was one of its first `replicas` keepers: of those who
were bound at that second, the first ones in the order of `chain.operator.assign`. So nobody earns by keeping what enough others keep
whose it is before his. Counted is who stands at the end of the epoch, and has neither missed a challenge nor been exposed in it;
everybody else earns nothing of it, keeps what it earned before, and stands in nobody's way.

All numbers are whole: shares are rounded down, and what is left over is not paid. So the shares of an epoch are never more than its
budget, and what an operator has earned in all never falls.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import msgspec

from chain.operator import assign

GIB_DAY = 2**30 * 86_400
"""Byte-seconds of a GiB that is kept for a day."""


class Span(msgspec.Struct, frozen=True):
    """The seconds that an epoch is about: `from_s` to `to_s`, the latter not of it."""

    from_s: int
    to_s: int


class Kept(msgspec.Struct, frozen=True):
    """A good leaf."""

    operator: str
    """Its address."""
    at_s: int
    """When it was attested."""


def seconds(
    leaves: Iterable[Kept], digest: bytes, span: Span, retention_s: int, replicas: int
) -> dict[str, int]:
    """For how long of the span each operator was one of the first `replicas` keepers of one block; those who never were are left
    out. `leaves` are all good ones of the block by operators that are counted; each binds from its time on for `retention_s`, and
    however many an operator has, it keeps the block once."""
    spells: dict[str, list[tuple[int, int]]] = {}
    for leaf in leaves:
        begins, ends = max(leaf.at_s, span.from_s), min(leaf.at_s + retention_s, span.to_s)
        if begins < ends:
            spells.setdefault(leaf.operator, []).append((begins, ends))
    order = assign.keepers(spells, digest, len(spells)) if spells else []
    turns = sorted({turn for spell in spells.values() for pair in spell for turn in pair})
    found: dict[str, int] = {}
    for begins, ends in itertools.pairwise(turns):
        bound = (who for who in order if any(a <= begins and ends <= b for a, b in spells[who]))
        for who in itertools.islice(bound, replicas):
            found[who] = found.get(who, 0) + ends - begins
    return found


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
