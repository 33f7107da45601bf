"""Fee tiers and their assets: one table, shown to everybody before they join. Pure.

A tier is named by its entry fee in micro-USDC (DOMAIN, "Fees and pay-outs"). The free tier plays for play
money, an asset of its own that is worth nothing and is never mixed with USDC.
"""

from __future__ import annotations

from collections.abc import Collection

USDC = "usdc"
PLAY = "play"
ASSETS = (USDC, PLAY)

FEE_TIERS = (0, 100_000, 500_000, 1_000_000, 5_000_000, 25_000_000)
"""micro-USDC; 0 is the free tier."""
PLAY_ENTRY_MICROS = 1_000_000
"""Entry of the free tier: one play dollar."""


def asset_of(tier_micros: int) -> str:
    """What a tier's entries are paid in."""
    return USDC if tier_micros else PLAY


def entry_micros(tier_micros: int) -> int:
    """A tier's entry, in micros of its asset."""
    return tier_micros or PLAY_ENTRY_MICROS


def amount(micros: int) -> str:
    """For people: `0.50`, `-1.00`; as many decimals as it takes, two at least."""
    whole, fraction = divmod(abs(micros), 1_000_000)
    decimals = f"{fraction:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if micros < 0 else ''}{whole}.{decimals}"


def listed(tiers: Collection[int]) -> str:
    """Fee tiers for people, the cheapest first: `free, 0.10, 0.50 USDC`."""
    paid = ", ".join(amount(tier) for tier in sorted(tiers) if tier)
    free = ["free"] if 0 in tiers else []
    return ", ".join([*free, *([f"{paid} USDC"] if paid else [])])


def unit(asset: str) -> str:
    """What people call the asset."""
    return "USDC" if asset == USDC else "play dollars"


def money(micros: int, asset: str) -> str:
    """For people: `0.50 USDC`, `-1.00 play dollars`."""
    return f"{amount(micros)} {unit(asset)}"
