"""Positions and money in words. Widths are bounded by those of the observation's numbers."""

from __future__ import annotations

from rich.text import Text

from tui_client import theme
from tui_client.widgets.canvas import line
from tui_client.widgets.trade_wars.observed import Order

SIGNS = {"LONG": "▲", "SHORT": "▼", "FLAT": "·"}


def money(cents: int) -> str:
    """`100,412.30`"""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02}"


def change(cents: int) -> str:
    """`+412.30`; a minus of the same width."""
    return money(cents) if cents < 0 else f"+{money(cents)}"


def per_cent(now: float, before: float) -> str:
    """`+0.41 %`"""
    if before <= 0:
        return ""
    share = 100 * (now / before - 1)
    return f"{share:+.2f} %" if abs(share) < 1_000 else f"{share:+.3g} %"


def position(order: Order | None) -> Text:
    """`▲ LONG 40%`"""
    if order is None:
        return line(("· no order", theme.FAINT))
    if order.side == "FLAT" or not order.size:
        return line(("· FLAT", theme.DIM))
    return line(
        (f"{SIGNS[order.side]} {order.side:<5} ", theme.BRIGHT), (f"{order.size}%", theme.PLAIN)
    )


def sign(order: Order | None) -> str:
    return " " if order is None else SIGNS[order.side]
