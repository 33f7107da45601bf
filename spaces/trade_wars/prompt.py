"""The market as text for a language model that must decide now.

Short and concrete, since the smallest models play: the situation first, the rules that apply in a few
sentences, the answer format last.
"""

from __future__ import annotations

from spaces.trade_wars.state import Order, State
from spaces.trade_wars.views import money, ranks, round_number

CLOSES = 20
"""A prompt quotes this many closing prices at most; the observation holds all candles."""


def prompt(state: State, seat: int) -> str:
    return "\n".join([*_situation(state, seat), *_rules(state), *_task()])


def _situation(state: State, seat: int) -> list[str]:
    closes = [candle.close for candle in (*state.history, *state.candles)][-CLOSES:]
    lines = [
        f"You trade an unknown price. Round {round_number(state)} of {state.params.rounds}.",
        f"Your money: {money(state.equity[seat])}. Your rank: {ranks(state)[seat]} of 5.",
    ]
    if state.rounds:
        last = state.rounds[-1]
        made = money(last.equity[seat] - last.start[seat])
        lines.append(f"Your last order: {_said(last.orders[seat])}. It made {made}.")
    lines += [f"The last {len(closes)} closing prices, oldest first:", " ".join(closes)]
    return lines


def _said(order: Order | None) -> str:
    if order is None:
        return "none"
    return order.side if order.side == "FLAT" else f"{order.side} {order.size}"


def _rules(state: State) -> list[str]:
    count = state.params.candles
    after = f"{count} more prices" if count > 1 else "1 more price"
    opens = "at the last price" if state.params.feed == "recorded" else "at the first new price"
    return [
        "LONG earns when the price rises, SHORT earns when it falls, FLAT risks nothing.",
        f"Your position opens {opens} and closes after {after}.",
        "The number is how many per cent of your money you risk, 0 to 100.",
        "Most money at the end wins.",
    ]


def _task() -> list[str]:
    return [
        "Decide now. Answer with one line and nothing else, one of:",
        "order: LONG NUMBER",
        "order: SHORT NUMBER",
        "order: FLAT",
    ]
