"""The baseline of Trade Wars: it goes with the trend and always answers what the rules take."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from bots.brains import BadSettings, make
from bots.brains.trend import trend_of
from bots.turn import Turn
from spaces.seed import Streams
from spaces.trade_wars import TradeWars
from tests.conformance.rig import seed_of

WARS = TradeWars()


def turn(closes: list[str], kind: str = "order") -> Turn:
    candles = [[close] * 4 for close in closes]
    view = {"history": candles[:-2], "candles": candles[-2:]}
    return Turn(session="s", space="trade-wars", turn=1, seat=0, kind=kind, view=view)


def say(closes: list[str], **settings: Any) -> Any:
    brain: Any = make("trend", "trade-wars", settings)
    return asyncio.run(brain.act(turn(closes)))


def test_it_goes_with_what_moved() -> None:
    up, down = ["100", "101", "102", "103"], ["103", "102", "101", "100"]
    assert say(up) == {"side": "LONG", "size": 60}
    assert say(down, most=30) == {"side": "SHORT", "size": 30}
    assert say(up, contrary=True) == {"side": "SHORT", "size": 60}


def test_it_is_flat_when_nothing_moved() -> None:
    assert say(["100"] * 6) == {"side": "FLAT"}
    assert trend_of([5.0]) == trend_of([]) == 0.0


def test_a_weak_trend_is_followed_with_less() -> None:
    weak = say(["100", "104", "100", "104", "100", "104", "100", "104", "103"])
    assert weak["side"] == "LONG"
    assert 0 < weak["size"] < 60


@pytest.mark.parametrize("contrary", [True, False])
def test_every_order_is_legal_in_random_markets(contrary: bool) -> None:
    brain: Any = make("trend", "trade-wars", {"contrary": contrary})
    rng, streams = random.Random(5), Streams(seed_of(5))
    state = WARS.initial(WARS.params({}), streams)
    while WARS.outcome(state) is None:
        for decision in WARS.decisions(state):
            view = WARS.observe(state, decision.seat)
            asked = Turn(
                session="s", space="trade-wars", turn=1, seat=decision.seat, kind="order", view=view
            )
            text = json.dumps(asyncio.run(brain.act(asked)))
            WARS.check_answer("order", text, view, decision.seat)
            order = WARS.parse("order", text)
            state = WARS.apply(state, decision.seat, order, streams)
        if WARS.inquiry(state) is not None:
            state = WARS.learn(state, WARS.random_observation(state, rng), streams)


def test_it_plays_trade_wars_alone() -> None:
    with pytest.raises(BadSettings, match="the trend brain plays trade-wars, not 'logic'"):
        make("trend", "logic")
    brain: Any = make("trend", "trade-wars")
    with pytest.raises(NotImplementedError, match="knows no 'bid'"):
        asyncio.run(brain.act(turn(["1"], kind="bid")))
