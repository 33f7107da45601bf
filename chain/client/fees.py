"""What a transaction offers for its gas (EIP-1559), in wei a unit of gas, and how a replacement outbids it. Pure.

Nodes take a replacement only if it pays a tenth more on *both* fees (geth's PriceBump); some take less, so what is enough
is held by a test and not by trying. We add an eighth.
"""

from __future__ import annotations

import msgspec

GWEI = 10**9
BUMP_NUMERATOR, BUMP_DENOMINATOR = 9, 8


class Fees(msgspec.Struct, frozen=True):
    """0 <= tip <= most."""

    most: int
    """`maxFeePerGas`: base fee and tip together never cost more."""
    tip: int
    """`maxPriorityFeePerGas`: what the maker of the block gets."""


class FeePolicy(msgspec.Struct, frozen=True):
    cap: int = 500 * GWEI
    """No transaction ever offers more, however long it waits."""
    least_tip: int = GWEI // 1_000


def offer(base_fee: int, tip: int, policy: FeePolicy) -> Fees:
    """For a first try, by what the node says now. Twice the base fee covers six full blocks in a row."""
    tip = max(tip, policy.least_tip)
    most = min(2 * base_fee + tip, policy.cap)
    return Fees(most, min(tip, most))


def outbid(last: Fees, now: Fees, policy: FeePolicy) -> Fees | None:
    """For a replacement of `last`, when a first try would offer `now`; None where the cap leaves no room."""
    least = Fees(_bumped(last.most), _bumped(last.tip))
    if least.most > policy.cap:
        return None
    most = min(max(least.most, now.most), policy.cap)
    return Fees(most, min(max(least.tip, now.tip), most))


def _bumped(fee: int) -> int:
    """An eighth more, rounded up; more than nothing."""
    return max(-(-fee * BUMP_NUMERATOR // BUMP_DENOMINATOR), fee + 1)
