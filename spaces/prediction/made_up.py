"""Valid answers to inquiries by chance, for conformance tests and load; they name themselves `made up`."""

from __future__ import annotations

import random
from typing import Any

from spaces.prediction.observations import commitment
from spaces.prediction.state import State
from spaces.space import Observation

SERIES = "made up"
FILE = "0" * 64
ROW = 7
AFTER_MS = 1_750_000_000_000


def observation(state: State, rng: random.Random) -> Observation:
    """To the open inquiry of `state`. A resolution opens the question's commitment."""
    told = _resolution(state, rng) if state.phase == "resolving" else _question(state, rng)
    return Observation(SERIES, told)


def _question(state: State, rng: random.Random) -> dict[str, Any]:
    history = [str(rng.randint(90, 110)) for _ in range(state.params.history - 1)]
    history.append(str(int(history[-1]) + 1))  # it moves, whatever was drawn
    told: dict[str, Any] = {"history": history, "horizon": state.params.horizon}
    if state.params.feed == "live":
        return told | {"after_ms": AFTER_MS}
    return told | {"commit": commitment(state.draws[len(state.rounds)], FILE, SERIES, ROW)}


def _resolution(state: State, rng: random.Random) -> dict[str, Any]:
    told: dict[str, Any] = {"value": str(rng.randint(50, 150)), "at": "2000", "series": SERIES}
    return told if state.params.feed == "live" else told | {"file": FILE, "row": ROW}
