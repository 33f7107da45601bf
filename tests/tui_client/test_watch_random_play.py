"""Whatever is played, every state that the rules come to is painted by the Space's own panes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from rich.text import Text

from server.protocol import SessionView
from spaces import registry
from spaces.seed import Streams
from tests.tui_client.painted import assert_fills
from tui_client.recording import market, questions
from tui_client.screenshot import folded
from tui_client.space_views import view_of
from tui_client.state import Input, Open, State
from tui_client.widgets.prediction.fan import paint_fan
from tui_client.widgets.prediction.scores import paint_scores
from tui_client.widgets.session.title import paint_title
from tui_client.widgets.trade_wars.candles import paint_candles
from tui_client.widgets.trade_wars.desk import paint_desk

Painter = Callable[[State, int, int], Sequence[Text]]
PLAYS: dict[str, tuple[str, dict[str, Any], tuple[Painter, ...]]] = {
    "trade-wars": (
        "trade-wars",
        {"rounds": 3, "candles": 4, "history": 5},
        (paint_candles, paint_desk),
    ),
    "trade-wars live": (
        "trade-wars",
        {"feed": "live", "series": "BTC/USDT", "rounds": 2, "candles": 3, "history": 5},
        (paint_candles, paint_desk),
    ),
    "quantiles": ("prediction", {"levels": [10, 50, 90]}, (paint_fan, paint_scores)),
    "probability": ("prediction", {"kind": "probability"}, (paint_fan, paint_scores)),
}


@pytest.mark.parametrize("play", PLAYS)
@pytest.mark.parametrize("seed", range(3))
def test_every_state_is_painted(play: str, seed: int) -> None:
    name, raw, painters = PLAYS[play]
    space, rng = registry.get(name), random.Random(seed)
    streams = Streams(bytes([seed]) * 32)
    state = space.initial(space.params(raw), streams)
    moments = 0
    while True:
        _assert_painted(space, state, painters)
        moments += 1
        if space.outcome(state) is not None:
            break
        state = _next(space, state, streams, rng)
    assert moments > 10


def _next(space: Any, state: Any, streams: Streams, rng: random.Random) -> Any:
    decisions = space.decisions(state)
    if not decisions:
        return space.learn(state, space.random_observation(state, rng), streams)
    seat = rng.choice(decisions).seat
    if rng.random() < 0.2:
        return space.forfeit(state, seat, streams)
    return space.apply(state, seat, space.random_action(state, seat, rng), streams)


def _assert_painted(space: Any, state: Any, painters: Sequence[Painter]) -> None:
    view = _view(space, state)
    assert view_of(view) is not None, view.state
    start = market.market_start if space.id == "trade-wars" else questions.questions_start
    happened: list[Input] = [Open(view.session), *start(view)]
    watched = folded(happened)
    paint_title(watched, 80)
    for paint, height in zip(painters, (11, 8), strict=True):
        assert_fills(paint(watched, 80, height), 80, height)


def _view(space: Any, state: Any) -> SessionView:
    model = market.market_view(0) if space.id == "trade-wars" else questions.questions_view(0)
    over = space.outcome(state) is not None
    return msgspec.structs.replace(
        model, state=space.observe(state, None), status="ended" if over else "live", decisions=[]
    )
