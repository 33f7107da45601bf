"""Sessions of Prediction, played by the rules with series and forecasts that are made up."""

from __future__ import annotations

import math
import random
from functools import lru_cache
from typing import Any

import msgspec

from server.protocol import Event, SessionView, Snapshot, Step, Update, Watching
from spaces import registry
from spaces.prediction.observations import commitment
from spaces.prediction.params import Params
from spaces.seed import Streams
from spaces.space import Observation
from tui_client.recording.cast import EPOCH, FIVE, QUESTIONS, START_MS, decision, session_update

SEED = b"\x2c" * 32
FILE = "7be1" * 16
SOURCE = "recorded:7be17be17be1"
SERIES = ("Tide at Gull Rock", "Rye at Lowmarket", "Ice days on Lake Hale")
UNITS = (("cm", "hour"), ("shillings", "week"), ("days", "winter"))
SPREADS: tuple[tuple[int, int, int], ...] = ((2, 18, 9), (-10, 30, 14), (6, 44, 20), (0, 9, 4), (14, 26, 12))  # fmt: skip
"""By seat: how far off the median is, and the outer and inner halves of its fan, in hundredths of the
height of the series; another seat's for each question."""
SHARES = ("0.62", "0.8", "0.35", "0.55", "0.9")
"""By seat: that the value will be above."""


class Play:
    """A session so far, and what the rules make of it."""

    def __init__(self, kind: str) -> None:
        self.space = registry.get("prediction")
        self.streams = Streams(SEED)
        self.params: Params = self.space.params({"kind": kind})
        self.state: Any = self.space.initial(self.params, self.streams)

    def ask(self) -> None:
        at = len(self.state.rounds)
        unit, step = UNITS[at % 3]
        commit = commitment(self.state.draws[at], FILE, SERIES[at % 3], 100 * at + 41)
        value = {"history": self._values(at)[: self.params.history], "horizon": self.params.horizon, "unit": unit, "step": step, "commit": commit}  # fmt: skip
        self._learn(value)

    def forecast(self, seat: int) -> None:
        at = len(self.state.rounds) - 1
        if self.params.kind == "probability":
            action: dict[str, Any] = {"kind": "probability", "probability": SHARES[(seat + at) % 5]}
        else:
            off, outer, inner = SPREADS[(seat + at) % 5]
            values = [float(value) for value in self._values(at)]
            near = sum(values[-4:]) / 4 + off / 100 * (max(values) - min(values))
            high = (max(values) - min(values)) / 100
            spread = (-outer * high, -inner * high, 0, inner * high, outer * high)
            action = {"kind": "quantiles", "quantiles": [f"{_plain(near + by)}" for by in spread]}
        self.state = self.space.apply(
            self.state, seat, self.space.decode_action(action), self.streams
        )

    def resolve(self) -> None:
        at = len(self.state.rounds) - 1
        told = {"value": self._values(at)[-1], "at": f"{1931 + at}-04-1{at}", "series": SERIES[at % 3], "file": FILE, "row": 100 * at + 41}  # fmt: skip
        self._learn(told)

    def _learn(self, value: dict[str, Any]) -> None:
        self.state = self.space.learn(self.state, Observation(SOURCE, value), self.streams)

    def _values(self, at: int) -> list[str]:
        """The history and what comes after it, up to the horizon."""
        rng, level = random.Random(at), 0.0  # noqa: S311 - a picture, not a secret
        found = []
        for step in range(self.params.history + self.params.horizon):
            level += rng.uniform(-9, 10)
            found.append(_plain(220 + 60 * at + 70 * math.sin(step / (2.1 + at)) + level))
        return found


def _plain(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


@lru_cache(maxsize=16)
def _played(kind: str, resolved: int, asked: bool, sealed: tuple[int, ...]) -> Play:
    play = Play(kind)
    for _ in range(resolved):
        play.ask()
        for seat in range(5):
            play.forecast(seat)
        play.resolve()
    if asked:
        play.ask()
        for seat in sealed:
            play.forecast(seat)
    return play


def questions_view(
    resolved: int, sealed: tuple[int, ...] | None = None, kind: str = "quantiles"
) -> SessionView:
    """After so many questions have come out; with `sealed` the next one is asked, and these seats have
    answered it."""
    play = _played(kind, resolved, sealed is not None, sealed or ())
    space, state = play.space, play.state
    outcome = space.outcome(state)
    done = [decision(seat, "forecast", 38_000, done=True) for seat in sealed or ()]
    owing = [decision(each.seat, "forecast", 38_000) for each in space.decisions(state)]
    return SessionView(
        session=QUESTIONS,
        space="prediction",
        rules=space.rules,
        status="live" if outcome is None else "ended",
        opened_ms=START_MS - 70_000,
        seats=FIVE,
        state=space.observe(state, None),
        headline=space.headline(state, [card.name for card in FIVE]),
        turn=resolved + 1,
        decisions=sorted(done + owing, key=lambda each: each.seat) if owing else [],
        outcome=None if outcome is None else msgspec.to_builtins(outcome),
        steps=[] if outcome is None else [Step("sealed", "done"), Step("rated", "waiting")],
    )


def questions_start(view: SessionView) -> list[Snapshot | Watching]:
    """Joining the session as it stands."""
    channel = f"session:{QUESTIONS}"
    return [Snapshot(channel, EPOCH, 10, view), Watching(channel, 27)]


def questions_sealed(resolved: int, seats: tuple[int, ...], kind: str = "quantiles") -> Update:
    """One seat more has answered, right after `questions_start`."""
    event = Event(11, 40_000, "sealed", f"seat:{seats[-1]}")
    return session_update(QUESTIONS, 11, [event], questions_view(resolved, seats, kind))


def questions_resolved(resolved: int, kind: str = "quantiles") -> Update:
    """A question has come out and, unless it was the last, the next one is asked; right after
    `questions_start`."""
    ended = questions_view(resolved, kind=kind).outcome
    view = questions_view(resolved, None if ended else (), kind)
    play = _played(kind, resolved, False, ())
    body = {"number": 2 * resolved, "kind": "resolution", "source": SOURCE, "value": msgspec.to_builtins(play.state.rounds[-1].resolved)}  # fmt: skip
    events = [Event(11, 40_000, "oracle", "oracle", body)]
    events += [Event(12, 40_000, "end", "host", ended)] if ended else []
    return session_update(QUESTIONS, 10 + len(events), events, view)
