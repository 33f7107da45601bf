"""Money as people read and write it. Pure; amounts are integer micros of an asset, never floats."""

from __future__ import annotations

import re

MICROS = 1_000_000
MAX_MICROS = 1_000_000_000_000
ASSETS = {"play": "play", "usdc": "USDC"}
_AMOUNT = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,6}))?")


def plain(micros: int) -> str:
    """Two places, more where they say something: 1250000 is `1.25`, 1 is `0.000001`."""
    whole, rest = divmod(abs(micros), MICROS)
    places = f"{rest:06}".rstrip("0").ljust(2, "0")
    return f"{'-' if micros < 0 else ''}{whole:,}.{places}"


def money(micros: int, asset: str) -> str:
    """`12.40 play`, `0.50 USDC`; of an asset that we do not know, the micros alone."""
    return f"{plain(micros)} {ASSETS.get(asset, '')}".rstrip()


def signed(micros: int) -> str:
    """A change: `+1.00`, `-0.50`, `0.00`."""
    return f"{'+' if micros > 0 else ''}{plain(micros)}"


def micros_of(text: str) -> int | None:
    """The micros of what a person wrote: `12`, `0.5`, `1 000.25`; None for anything else."""
    match = _AMOUNT.fullmatch(text.replace(" ", "").replace(",", ""))
    if match is None:
        return None
    micros = int(match[1]) * MICROS + int((match[2] or "").ljust(6, "0"))
    return micros if micros <= MAX_MICROS else None


def written(micros: int | None) -> str:
    """As it stands in a field that is filled in."""
    return "" if micros is None else plain(micros).replace(",", "")
