"""Money: what a position is worth at a price. Exact; every rounding is down to the cent.

A position is opened at the round's entry price with `size` per cent of the seat's equity, which is its
exposure: there is no leverage, and no fee. It is marked at each candle's close and closed at the last
one of the round. A short can lose more than it exposed: where a mark would leave nothing, the seat is
liquidated at that close with an equity of 0, for the rest of the session, never below. Prices between
closes (highs and lows) liquidate nobody.
"""

from __future__ import annotations

import math
from fractions import Fraction

from spaces.trade_wars.state import MAX_EQUITY, Order


def exposure(equity: int, order: Order | None) -> int:
    """Cents that the order puts at stake."""
    if order is None or order.side == "FLAT":
        return 0
    return equity * order.size // 100


def mark(start: int, order: Order | None, entry: str, close: str) -> int:
    """Equity in cents, at `close`, of a seat that began the round with `start`; 0 .. MAX_EQUITY."""
    if order is None:
        return start
    opened, now = Fraction(entry), Fraction(close)
    change = (now - opened) / opened
    earned = math.floor(exposure(start, order) * (change if order.side == "LONG" else -change))
    return min(max(start + earned, 0), MAX_EQUITY)


def marks(
    before: tuple[int, ...],
    start: tuple[int, ...],
    orders: tuple[Order | None, ...],
    entry: str,
    close: str,
) -> tuple[int, ...]:
    """Equity of every seat at `close`; who had nothing at the close `before` has nothing."""
    return tuple(
        mark(begun, order, entry, close) if had else 0
        for had, begun, order in zip(before, start, orders, strict=True)
    )
