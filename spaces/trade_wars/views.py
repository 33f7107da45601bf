"""What is seen of a session of Trade Wars. Orders appear together when all are in; what was traded and
when, at the very end.

The observation (money in whole cents, prices as decimal strings, lists by seat):

    phase              "history", "candles", "unmask" (the oracle is asked), "decide" or "over"
    round, rounds      1 .. rounds: the round that runs or is decided
    candle             candles of this round that have come in, 0 .. candles_per_round
    candles_per_round
    feed               "recorded" or "live"
    stake, equity      what each seat began with; what each has, at the last close
    ranks              1 is best, equal ones share a rank
    decided            [bool]: whose decision for the next round is in; without money none is due
    history            [[open, high, low, close]] before the first decision, oldest first
    candles            [[open, high, low, close]] that were played
    curves             by seat: [equity] at the start and at each candle of `candles`
    positions          by seat, while a round runs: {side, size, exposure, pnl, liquidated}; else null
    entry              the price at which the running round's positions opened, or null
    log                of each round that has begun: {round, entry, orders: [{side, size} or null where
                       forfeited or without money], start: [equity], pnl: [cents so far]}
    series             null, and when all is over {name, first, last, source}
    termination        null, and when all is over `complete` or `bankruptcy`
    decide_ms
    your_order         of a seat's own view: its sealed {side, size} for the next round, or null
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spaces.seat_names import seat_name
from spaces.trade_wars import market, rules
from spaces.trade_wars.state import SEATS, Candle, Order, Round, State

_WAITING = {
    "history": "waiting for prices",
    "unmask": "asking what it was",
}


def observe(state: State, viewer: int | None) -> dict[str, Any]:
    outcome = rules.outcome(state)
    current = state.rounds[-1] if state.running else None
    seen: dict[str, Any] = {
        "phase": state.phase,
        "round": round_number(state),
        "rounds": state.params.rounds,
        "candle": len(current.marks) if current else 0,
        "candles_per_round": state.params.candles,
        "feed": state.params.feed,
        "decide_ms": state.params.decide_ms,
        "stake": state.params.stake_cents,
        "equity": list(state.equity),
        "ranks": ranks(state),
        "decided": _decided(state),
        "history": [_prices(candle) for candle in state.history],
        "candles": [_prices(candle) for candle in state.candles],
        "curves": _curves(state),
        "positions": None if current is None else [_position(current, i) for i in range(SEATS)],
        "entry": None if current is None else current.entry,
        "log": [_past(one, number) for number, one in enumerate(state.rounds, 1)],
        "series": _series(state),
        "termination": None if outcome is None else outcome.termination,
    }
    if viewer is not None:
        seen["your_order"] = _order(state.given[viewer])
    return seen


def round_number(state: State) -> int:
    """The round that runs, or the next one to decide; stays at the last one when all is over."""
    decided = len(state.rounds)
    return decided if state.running or state.played_out else decided + 1


def ranks(state: State) -> list[int]:
    return [1 + sum(other > mine for other in state.equity) for mine in state.equity]


def _decided(state: State) -> list[bool]:
    if state.phase != "decide":
        return [False] * SEATS
    return [not rules.owes(state, seat) for seat in range(SEATS)]


def _prices(candle: Candle) -> list[str]:
    return [candle.open, candle.high, candle.low, candle.close]


def _curves(state: State) -> list[list[int]]:
    marks = [(state.params.stake_cents,) * SEATS, *(m for one in state.rounds for m in one.marks)]
    return [[mark[seat] for mark in marks] for seat in range(SEATS)]


def _order(order: Order | None) -> dict[str, Any] | None:
    return None if order is None else {"side": order.side, "size": order.size}


def _position(current: Round, seat: int) -> dict[str, Any]:
    order, start, now = current.orders[seat], current.start[seat], current.equity[seat]
    return {
        "side": "FLAT" if order is None else order.side,
        "size": 0 if order is None else order.size,
        "exposure": market.exposure(start, order),
        "pnl": now - start,
        "liquidated": now == 0,
    }


def _past(one: Round, number: int) -> dict[str, Any]:
    return {
        "round": number,
        "entry": one.entry,
        "orders": [_order(order) for order in one.orders],
        "start": list(one.start),
        "pnl": [now - start for now, start in zip(one.equity, one.start, strict=True)],
    }


def _series(state: State) -> dict[str, Any] | None:
    told = state.unmasked
    if told is None:
        return None
    return {"name": told.series, "first": told.first, "last": told.last, "source": told.source}


def money(cents: int) -> str:
    """`1,234.56`; a minus sign where it is due."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02}"


def change(cents: int) -> str:
    """What was won or lost: `+1,234.56`, `-20.00`, `0.00`."""
    return f"{'+' if cents > 0 else ''}{money(cents)}"


def headline(state: State, names: Sequence[str] = ()) -> str:
    """At most 80 characters."""
    leader = _leader(state, names)
    if state.unmasked is not None:
        return f"{leader}: {state.unmasked.series}"[:80]
    where = f"round {round_number(state)}/{state.params.rounds}"
    match state.phase:
        case "candles":
            where += f", candle {len(state.rounds[-1].marks)}/{state.params.candles}"
        case "decide":
            where += ", deciding"
        case phase:
            where += f", {_WAITING[phase]}"
    return f"{where}, {leader}"[:80] if state.rounds else where


def _leader(state: State, names: Sequence[str]) -> str:
    best = max(state.equity)
    leaders = [seat for seat, equity in enumerate(state.equity) if equity == best]
    if len(leaders) > 1:
        return f"{len(leaders)} seats share the lead with {money(best)}"
    return f"{seat_name(names, leaders[0])} leads with {money(best)}"


def render(state: State, names: Sequence[str] = ()) -> str:
    lines = [headline(state, names)]
    if state.history:
        closes = [candle.close for candle in (*state.history, *state.candles)]
        lines.append(f"closes: {' '.join(closes[-20:])}")
    for number, one in enumerate(state.rounds, 1):
        lines.append(f"[round {number}, entry {one.entry or 'not known yet'}]")
        lines += [f"  {seat_name(names, seat)}: {_told(one, seat)}" for seat in range(SEATS)]
    if state.unmasked is not None:
        told = state.unmasked
        lines.append(f"traded: {told.series}, {told.first} to {told.last} ({told.source})")
    return "\n".join(lines)


def _told(one: Round, seat: int) -> str:
    order, start, now = one.orders[seat], one.start[seat], one.equity[seat]
    said: str = "(no order)" if order is None else order.side
    if order is not None and order.side != "FLAT":
        said += f" {order.size}%"
    return f"{said}, {money(start)} -> {money(now)} ({change(now - start)})"
