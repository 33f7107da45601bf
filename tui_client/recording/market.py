"""A session of Trade Wars, played by the rules with prices and orders that are made up."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Any

import msgspec

from server.protocol import Event, SessionView, Snapshot, Step, Update, Watching
from spaces import registry
from spaces.seed import Streams
from spaces.space import Observation
from spaces.trade_wars.state import Order, Params
from tui_client.recording.cast import EPOCH, FIVE, MARKET, START_MS, decision, session_update

PARAMS = Params()
ORDERS: tuple[tuple[tuple[str, int], ...], ...] = (
    (("LONG", 40), ("SHORT", 25), ("LONG", 80), ("FLAT", 0), ("SHORT", 60)),
    (("LONG", 60), ("LONG", 20), ("LONG", 100), ("SHORT", 10), ("SHORT", 80)),
    (("SHORT", 30), ("LONG", 45), ("LONG", 90), ("FLAT", 0), ("SHORT", 100)),
    (("LONG", 50), ("SHORT", 15), ("SHORT", 70), ("LONG", 20), ("FLAT", 0)),
    (("LONG", 75), ("LONG", 35), ("LONG", 55), ("LONG", 30), ("LONG", 100)),
)
"""By round and seat: what it is exposed to, and per cent of its equity."""
UNMASKED = {"series": "Saltmarsh Mills, daily", "first": "2004-03-08", "last": "2004-05-14"}
SEED = b"\x17" * 32
SOURCE = "recorded:9f2c77ab0e41"


def prices() -> list[list[str]]:
    """Open, high, low and close of every candle: of the history, then of the rounds."""
    rng, close, found = random.Random(23), 41.2, []  # noqa: S311 - a picture, not a secret
    for at in range(PARAMS.history + PARAMS.rounds * PARAMS.candles):
        opened = close
        drift = 0.11 if at % 38 < 24 else -0.16
        close = opened + drift + rng.uniform(-0.62, 0.62)
        high = max(opened, close) + rng.uniform(0, 0.4)
        low = min(opened, close) - rng.uniform(0, 0.4)
        found.append(
            [f"{price:.2f}".rstrip("0").rstrip(".") for price in (opened, high, low, close)]
        )
    return found


@lru_cache(maxsize=1)
def states() -> dict[tuple[int, int], Any]:
    """The state by rounds begun and candles of the last one, sealed orders being none; (rounds + 1, 0)
    is the end."""
    space, streams = registry.get("trade-wars"), Streams(SEED)
    told = prices()

    def learnt(state: Any, value: dict[str, Any]) -> Any:
        return space.learn(state, Observation(SOURCE, value), streams)

    state = learnt(space.initial(PARAMS, streams), {"candles": told[: PARAMS.history]})
    found = {(0, 0): state}
    for number, orders in enumerate(ORDERS, 1):
        for seat, (side, size) in enumerate(orders):
            state = space.apply(state, seat, msgspec.convert({"kind": "order", "side": side, "size": size}, Order), streams)  # fmt: skip
        found[number, 0] = state
        for candle in range(1, PARAMS.candles + 1):
            four = told[PARAMS.history + (number - 1) * PARAMS.candles + candle - 1]
            state = learnt(state, dict(zip(("open", "high", "low", "close"), four, strict=True)))
            found[number, candle] = state
    found[len(ORDERS) + 1, 0] = learnt(state, UNMASKED)
    return found


def market_view(rounds: int, candles: int = 0, sealed: tuple[int, ...] = ()) -> SessionView:
    """After so many rounds were begun and so many candles of the last one were seen; then, between two
    rounds, the seats that have sealed their orders for the next."""
    space, streams, state = registry.get("trade-wars"), Streams(SEED), states()[rounds, candles]
    deciding = space.decisions(state)
    for seat in sealed:
        state = space.apply(state, seat, Order("FLAT"), streams)
    outcome = space.outcome(state)
    return SessionView(
        session=MARKET,
        space="trade-wars",
        rules=space.rules,
        status="live" if outcome is None else "ended",
        opened_ms=START_MS - 130_000,
        seats=FIVE,
        state=space.observe(state, None),
        headline=space.headline(state, [card.name for card in FIVE]),
        turn=rounds + 1,
        decisions=[decision(each.seat, "order", 17_000, each.seat in sealed) for each in deciding],
        outcome=None if outcome is None else msgspec.to_builtins(outcome),
        steps=[] if outcome is None else [Step("sealed", "done"), Step("rated", "waiting")],
    )


def market_start(view: SessionView) -> list[Snapshot | Watching]:
    """Joining the session as it stands."""
    channel = f"session:{MARKET}"
    return [Snapshot(channel, EPOCH, 10, view), Watching(channel, 63)]


def market_candle(rounds: int, candle: int) -> Update:
    """One more candle, right after `market_start`."""
    close = prices()[PARAMS.history + (rounds - 1) * PARAMS.candles + candle - 1][3]
    body = {"number": 2, "kind": "candle", "source": SOURCE, "value": {"close": close}}
    event = Event(11, 40_000, "oracle", "oracle", body)
    return session_update(MARKET, 11, [event], market_view(rounds, candle))


def market_sealed(rounds: int, seats: tuple[int, ...]) -> Update:
    """One seat more has sealed its order for the next round, right after `market_start`."""
    event = Event(11, 40_000, "sealed", f"seat:{seats[-1]}")
    return session_update(MARKET, 11, [event], market_view(rounds, PARAMS.candles, seats))


def market_ending() -> list[Update]:
    """What was traded is told, right after `market_start` at the last candle."""
    view = market_view(len(ORDERS) + 1)
    body = {"number": 52, "kind": "unmask", "source": SOURCE, "value": UNMASKED}
    events = [
        Event(11, 60_000, "oracle", "oracle", body),
        Event(12, 60_000, "end", "host", view.outcome or {}),
    ]
    return [session_update(MARKET, 12, events, view)]
