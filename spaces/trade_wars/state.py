"""The state of a session of Trade Wars and its variants, as data. Money is in whole cents."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from spaces.decimals import Number

SEATS = 5
MAX_EQUITY = 10**15
"""Cents. Ten trillion; no real series leads there, and all sums stay integers of JSON."""

Side = Literal["LONG", "SHORT", "FLAT"]
Feed = Literal["recorded", "live"]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    feed: Feed = "recorded"
    """`recorded`: a window of a series that is over. `live`: an exchange, in real time."""
    series: Annotated[str, Meta(max_length=64)] = ""
    """Which series of the feed: its name or the beginning of names. Empty: any recorded one, drawn
    from the seed. A live feed needs it, e.g. `BTC/USDT`."""
    rounds: Annotated[int, Meta(ge=1, le=10)] = 5
    candles: Annotated[int, Meta(ge=1, le=50)] = 10
    """Of one round."""
    history: Annotated[int, Meta(ge=5, le=200)] = 30
    """Candles that are shown before the first decision."""
    stake: Annotated[int, Meta(ge=1, le=10_000_000)] = 100_000
    """What each seat starts with, in whole units of money: 100 cents each."""
    decide_ms: Annotated[int, Meta(ge=5_000, le=600_000)] = 30_000
    """To decide before a round."""
    candle_ms: Annotated[int, Meta(ge=0, le=60_000)] = 1_000
    """From one recorded candle to the next. A live candle comes when it closes."""
    step_s: Annotated[int, Meta(ge=60, le=86_400)] = 60
    """Of a live candle."""
    oracle_ms: Annotated[int, Meta(ge=1_000, le=3_600_000)] = 30_000
    """Within which the oracle must answer, once the answer exists; then the session is void."""

    @property
    def stake_cents(self) -> int:
        return self.stake * 100

    @property
    def gap(self) -> int:
        """Live candles that pass unplayed while the oracle answers and the seats decide, retries
        included. The first played one opens after the last decision, so nobody trades at a price that
        is already history."""
        if self.feed == "recorded":
            return 0
        return 1 + -(-(self.oracle_ms + 2 * self.decide_ms) // (self.step_s * 1_000))

    @property
    def window(self) -> int:
        """Candles from the end of the history to the end of the session."""
        return self.rounds * (self.gap + self.candles)


class Candle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prices of one step, as exact decimals above zero."""

    open: Number
    high: Number
    low: Number
    close: Number


class Order(msgspec.Struct, frozen=True, tag="order", tag_field="kind", forbid_unknown_fields=True):
    """One seat's decision for one round."""

    side: Side
    size: Annotated[int, Meta(ge=0, le=100)] = 0
    """Per cent of the seat's equity that is exposed; 0 for FLAT."""


class Round(msgspec.Struct, frozen=True):
    """A round that all seats have decided; tuples by seat."""

    orders: tuple[Order | None, ...]
    """None: forfeited, which is flat."""
    start: tuple[int, ...]
    """Equity in cents when the round began."""
    entry: Number | None
    """The price at which all positions opened; None until a live round's first candle is known."""
    marks: tuple[tuple[int, ...], ...] = ()
    """Equity in cents at the close of each candle so far."""

    @property
    def equity(self) -> tuple[int, ...]:
        return self.marks[-1] if self.marks else self.start


class Unmasked(msgspec.Struct, frozen=True):
    """What was traded, told when nothing is left to decide."""

    series: str
    first: str
    """When the first played candle was, as the source writes it."""
    last: str
    source: str


class State(msgspec.Struct, frozen=True):
    params: Params
    draw: str
    """Picks the window and salts the oracle's commitment to it. Secret to the end."""
    history: tuple[Candle, ...] = ()
    after_ms: int | None = None
    """Of a live feed: when the history ended."""
    candles: tuple[Candle, ...] = ()
    """All that were played."""
    given: tuple[Order | None, ...] = (None,) * SEATS
    """Orders for the next round. Secret until all are in."""
    passed: tuple[bool, ...] = (False,) * SEATS
    """Who has forfeited the next round's decision."""
    rounds: tuple[Round, ...] = ()
    unmasked: Unmasked | None = None

    @property
    def equity(self) -> tuple[int, ...]:
        """Cents by seat at the last close; never below 0."""
        return self.rounds[-1].equity if self.rounds else (self.params.stake_cents,) * SEATS

    @property
    def running(self) -> bool:
        """Whether positions are open."""
        return bool(self.rounds) and len(self.rounds[-1].marks) < self.params.candles

    @property
    def played_out(self) -> bool:
        """Whether nothing is left to decide: the last round is over, or nobody has money left."""
        if self.running:
            return False
        return len(self.rounds) == self.params.rounds or not any(self.equity)

    @property
    def phase(self) -> Literal["history", "decide", "candles", "unmask", "over"]:
        if self.unmasked is not None:
            return "over"
        if not self.history:
            return "history"
        if self.running:
            return "candles"
        return "unmask" if self.played_out else "decide"

    @property
    def last_close(self) -> Number:
        return (self.candles or self.history)[-1].close
