"""Amounts as people write them, in the smallest parts of a token, and back. Pure; no number here is ever a float."""

from __future__ import annotations

import re

USDC_DECIMALS = 6
TOKEN_DECIMALS = 18
"""Of FRAC, agents' tokens and ether."""
MAX_MICROS = 2**63 - 1
MAX_TOKENS = 2**128 - 1
MAX_SLIPPAGE_BPS = 5_000

_AMOUNT = re.compile(r"(\d{1,40})(?:\.(\d{1,40}))?", re.ASCII)
_SPAN = re.compile(r"(\d{1,6})\s*(s|m|h|d|w)", re.ASCII)
_SPANS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}


class BadAmount(ValueError):
    """What was written is no amount; the text says what would be."""


def usdc(text: str, *, zero: bool = False) -> int:
    """Micros of `5`, `0.50` or `0.50 USDC`. Raises BadAmount, also for nothing unless `zero`."""
    return _parts(text, USDC_DECIMALS, "USDC", MAX_MICROS, zero=zero)


def tokens(text: str, symbol: str) -> int:
    """The smallest parts of a token of 18 decimals. Raises BadAmount."""
    return _parts(text, TOKEN_DECIMALS, symbol, MAX_TOKENS, zero=False)


def slippage_bps(text: str) -> int:
    """Basis points of `1`, `0.5` or `0.5%`: how much less than quoted is taken. Raises BadAmount."""
    found = _AMOUNT.fullmatch(text.strip().removesuffix("%").strip())
    decimals = (found[2] or "") if found else ""
    if found is None or len(decimals.rstrip("0")) > 2:
        raise BadAmount(
            f"{text!r} is no slippage; write a percentage with two decimals at most, as in 1 or 0.5"
        )
    bps = int(found[1]) * 100 + int(decimals.rstrip("0").ljust(2, "0"))
    if bps > MAX_SLIPPAGE_BPS:
        raise BadAmount(
            f"a slippage of {text} % gives the trade away; {MAX_SLIPPAGE_BPS // 100} % is the most"
        )
    return bps


def span_s(text: str) -> int:
    """Seconds of `90s`, `10m`, `12h`, `30d`, `4w`. Raises BadAmount."""
    found = _SPAN.fullmatch(text.strip())
    if found is None or int(found[1]) == 0:
        raise BadAmount(f"{text!r} is no span of time; write 10m, 12h, 30d or 4w")
    return int(found[1]) * _SPANS[found[2]]


def less(amount: int, bps: int) -> int:
    """What is left of an amount after so many basis points, rounded up: never less than was asked for."""
    return -(-amount * (10_000 - bps) // 10_000)


def shown_usdc(micros: int) -> str:
    """`0.50 USDC`: as many decimals as it takes, two at least."""
    return f"{decimal(micros, USDC_DECIMALS, least=2)} USDC"


def shown_tokens(parts: int, symbol: str, *, most: int = 6) -> str:
    """`1,234.5 FRAC`: rounded down to `most` decimals; what is less than can be shown is `<0.000001`."""
    step = 10 ** (TOKEN_DECIMALS - most)
    if 0 < parts < step:
        return f"<{decimal(step, TOKEN_DECIMALS)} {symbol}"
    return f"{decimal(parts - parts % step, TOKEN_DECIMALS)} {symbol}"


def shown_percent(bps: int) -> str:
    """`0.5 %`."""
    return f"{decimal(bps, 2)} %"


def decimal(parts: int, decimals: int, *, least: int = 0) -> str:
    """With commas between thousands, and no more decimals than it takes, but `least`."""
    whole, rest = divmod(abs(parts), 10**decimals)
    fraction = f"{rest:0{decimals}d}".rstrip("0").ljust(least, "0")
    sign = "-" if parts < 0 else ""
    return f"{sign}{whole:,}{'.' if fraction else ''}{fraction}"


def _parts(text: str, decimals: int, unit: str, most: int, *, zero: bool) -> int:
    scale: int = 10**decimals
    words = text.strip()
    if words.upper().endswith(unit.upper()):
        words = words[: len(words) - len(unit)].strip()
    found = _AMOUNT.fullmatch(words)
    if found is None:
        raise BadAmount(f"{text[:60]!r} is no amount of {unit}; write 5 or 0.50")
    fraction = found[2] or ""
    if len(fraction.rstrip("0")) > decimals:
        raise BadAmount(f"{text[:60]!r}: {unit} has {decimals} decimals at most")
    parts = int(found[1]) * scale + int(fraction[:decimals].ljust(decimals, "0"))
    if parts > most:
        raise BadAmount(f"{text[:60]!r} is more {unit} than there is")
    if parts == 0 and not zero:
        raise BadAmount(f"{text[:60]!r}: an amount is above 0")
    return parts
