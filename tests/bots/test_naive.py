"""The naive forecaster: legal in every variant, and better than chance on what it was made for."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any, Literal

import pytest

from bots.brains import make
from bots.brains.naive import NaiveBrain, NaiveSettings, above, quantile, walked
from bots.turn import Turn
from server.oracle import Oracle
from server.oracle.recorded import RecordedFeed
from server.oracle.vega import recordings
from spaces.prediction import Prediction
from spaces.prediction.state import State
from spaces.seed import Streams

SPACE = Prediction()
VEGA = recordings()
VARIANTS: list[dict[str, Any]] = [
    {},
    {"kind": "probability"},
    {"kind": "probability", "score": "log"},
    {"history": 120, "horizon": 20, "levels": [1, 50, 99], "series": "seattle"},
]


async def play(params: dict[str, Any], seed: int) -> tuple[int, ...]:
    """Seats 0 and 1 walk and remember the climate, the others guess. Returns."""
    oracle = Oracle({"recorded": RecordedFeed(lambda: VEGA)})
    streams, rng = Streams(seed.to_bytes(32, "big")), random.Random(seed)
    brains = [make("naive", "prediction"), make("naive", "prediction", {"memory": "climate"})]
    state: State = SPACE.initial(SPACE.params(params), streams)
    while (outcome := SPACE.outcome(state)) is None:
        inquiry = SPACE.inquiry(state)
        if inquiry is not None:
            state = SPACE.learn(state, await oracle.answer(None, inquiry), streams)
            continue
        for decision in SPACE.decisions(state):
            seat, kind = decision.seat, decision.kind
            view = SPACE.observe(state, seat)
            if seat < 2:
                turn = Turn(
                    session="s", space="prediction", turn=1, seat=seat, kind=kind, view=view
                )
                text = str(await brains[seat].act(turn)).replace("'", '"')
            else:
                text = SPACE.random_answer(kind, view, seat, rng)
            SPACE.check_answer(kind, text, view, seat)
            state = SPACE.apply(state, seat, SPACE.parse(kind, text), streams)
    assert outcome.returns is not None
    return outcome.returns


@pytest.mark.parametrize("params", VARIANTS, ids=str)
async def test_walking_beats_guessing_on_real_series(params: dict[str, Any]) -> None:
    totals = [0] * 5
    for seed in range(40):
        for seat, scored in enumerate(await play(params, seed)):
            totals[seat] += scored
    assert totals[0] > max(totals[2:]), totals


def test_quantiles_are_order_statistics() -> None:
    ordered = [Fraction(n) for n in range(1, 21)]
    assert [quantile(ordered, level) for level in (1, 5, 6, 50, 95, 99)] == [1, 1, 2, 10, 19, 20]
    assert quantile(ordered[:1], 1) == quantile(ordered[:1], 99) == 1


def test_a_walk_adds_the_changes_of_the_past() -> None:
    assert walked([Fraction(n) for n in (1, 2, 4, 8)], 2) == [11, 14]


def test_a_probability_is_never_certain() -> None:
    futures = [Fraction(n) for n in (1, 2, 3)]
    assert above(futures, Fraction(3)) == Fraction(1, 5)
    assert above(futures, Fraction(0)) == Fraction(4, 5)


@pytest.mark.parametrize("memory", ["walk", "climate"])
async def test_another_decision_is_said_plainly(memory: Literal["walk", "climate"]) -> None:
    turn = Turn(session="s", space="x", turn=0, seat=0, kind="dance", view={})
    with pytest.raises(NotImplementedError, match="dance"):
        await NaiveBrain(NaiveSettings(memory)).act(turn)
