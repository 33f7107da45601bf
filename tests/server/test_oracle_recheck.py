"""Whoever has the recording can ask it again: `python -m server.oracle.recheck`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from server.oracle import recheck
from server.oracle.feeds import oracle
from spaces import registry
from spaces.seed import Streams
from tests.playthroughs.recorded import FOLDER

STREAMS = Streams(bytes([3]) * 32)


async def played(name: str, params: dict[str, Any]) -> Any:
    """The end of a session over vega-datasets in which nobody says anything."""
    space, asked = registry.get(name), oracle("", (), "")
    state = space.initial(space.params(params), STREAMS)
    while space.outcome(state) is None:
        inquiry = space.inquiry(state)
        if inquiry is None:
            state = space.forfeit(state, space.decisions(state)[0].seat, STREAMS)
        else:
            state = space.learn(state, await asked.answer(None, inquiry), STREAMS)
    return state


async def differing(state: Any) -> tuple[int, list[str]]:
    rows = [row async for row in recheck.recheck(oracle("", (), ""), state)]
    return len(rows), [what for what, same in rows if not same]


async def test_a_session_of_questions_is_found_again_in_the_recording() -> None:
    state = await played("prediction", {"questions": 3})
    assert await differing(state) == (6, [])
    second = state.rounds[1]
    forged = msgspec.structs.replace(second.resolved, value="12.345678")
    rounds = (state.rounds[0], msgspec.structs.replace(second, resolved=forged), state.rounds[2])
    assert await differing(msgspec.structs.replace(state, rounds=rounds)) == (6, ["value 2"])
    history = ("12.345678", *second.asked.history[1:])
    asked = msgspec.structs.replace(second.asked, history=history)
    rounds = (state.rounds[0], msgspec.structs.replace(second, asked=asked), state.rounds[2])
    assert await differing(msgspec.structs.replace(state, rounds=rounds)) == (6, ["question 2"])


async def test_a_session_of_trades_is_found_again_in_the_recording() -> None:
    state = await played("trade-wars", {"rounds": 2, "candles": 3})
    assert await differing(state) == (8, [])
    forged = msgspec.structs.replace(state.candles[4], close="12.345678")
    candles = (*state.candles[:4], forged, state.candles[5])
    assert await differing(msgspec.structs.replace(state, candles=candles)) == (8, ["candle 4"])


@pytest.mark.parametrize(
    ("name", "code", "named"),
    [
        ("prediction_quantiles", 1, "4 answers asked for again"),  # made up, of no file
        ("prediction_probability_live", 2, "not of a recorded series"),
        ("rap_battle_default", 2, "no session of prediction or trade-wars"),
        ("nowhere", 2, "No such file"),
    ],
)
def test_what_differs_or_cannot_be_rechecked_is_said(
    name: str, code: int, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert recheck.main([str(FOLDER / f"{name}.transcript.json")]) == code
    told = capsys.readouterr()
    assert named in told.out + told.err
