"""The public observation of `trade-wars`, read from a SessionView. Money is in cents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from server.protocol import SessionView
from spaces.decimals import Number
from tui_client.remembered import Remembered

TRADE_WARS = "trade-wars"
MAX_SEATS = 9
MAX_CANDLES = 2_000

Cents = Annotated[int, Meta(ge=-(10**16), le=10**16)]
Count = Annotated[int, Meta(ge=0, le=10_000)]
Side = Literal["LONG", "SHORT", "FLAT"]
Prices = tuple[Number, Number, Number, Number]
"""Open, high, low, close."""
Candles = Annotated[tuple[Prices, ...], Meta(max_length=MAX_CANDLES)]


class Order(msgspec.Struct, frozen=True):
    side: Side
    size: Annotated[int, Meta(ge=0, le=100)] = 0
    """Per cent of the equity."""


class Position(Order, frozen=True):
    """Of a running round."""

    pnl: Cents = 0
    liquidated: bool = False


class Past(msgspec.Struct, frozen=True):
    """A round that has begun."""

    round: Count
    orders: tuple[Order | None, ...]
    pnl: tuple[Cents, ...]
    entry: Number | None = None


class Series(msgspec.Struct, frozen=True):
    """What was traded."""

    name: str
    first: str
    last: str
    source: str = ""


class TradeWars(msgspec.Struct, frozen=True):
    """`observe(state, None)` of `trade-wars`; lists by seat, or oldest first."""

    phase: str
    round: Count
    rounds: Annotated[int, Meta(ge=1, le=20)]
    candle: Count
    candles_per_round: Annotated[int, Meta(ge=1, le=200)]
    stake: Cents
    equity: tuple[Cents, ...]
    ranks: tuple[Count, ...]
    decided: tuple[bool, ...] = ()
    feed: str = "recorded"
    history: Candles = ()
    candles: Candles = ()
    curves: tuple[Annotated[tuple[Cents, ...], Meta(max_length=MAX_CANDLES)], ...] = ()
    positions: tuple[Position, ...] | None = None
    entry: Number | None = None
    log: tuple[Past, ...] = ()
    series: Series | None = None


def _read(view: SessionView) -> TradeWars | None:
    if view.space != TRADE_WARS:
        return None
    try:
        seen = msgspec.convert(view.state, TradeWars)
    except msgspec.ValidationError:
        return None
    seats = len(view.seats)
    by_seat: list[Sequence[object]] = [seen.equity, seen.ranks]
    by_seat += [listed for past in seen.log for listed in (past.orders, past.pnl)]
    by_seat += [listed for listed in (seen.curves, seen.positions) if listed]
    if [card.seat for card in view.seats] != list(range(seats)) or not 1 <= seats <= MAX_SEATS:
        return None
    return seen if all(len(listed) == seats for listed in by_seat) else None


trade_wars = Remembered(_read)
"""The market, or None when the view holds no readable one."""
