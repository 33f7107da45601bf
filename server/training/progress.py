"""What a training's child process writes down of its steps, and how that is read. Pure.

A line a step, JSON: `{"step": 3, "steps": 60, "loss": 1.25}`, loss in nats. A child that goes on from a checkpoint writes lines of steps that
were written before: what was written last of a step holds, and what stood behind it then does not any more. A line that a kill
has cut off is left out.
"""

from __future__ import annotations

import msgspec

from server.training.eta import thinned

FILE = "progress.jsonl"
MICROS = 1_000_000


class Line(msgspec.Struct, frozen=True):
    step: int
    steps: int
    loss: float


class Seen(msgspec.Struct, frozen=True):
    """How far a training is."""

    step: int = 0
    steps: int = 0
    loss_micro: int | None = None
    points: tuple[tuple[int, int], ...] = ()
    """(step, loss in micro-nats), of every step."""

    @property
    def curve(self) -> str:
        """For people: thinned, as JSON."""
        return msgspec.json.encode(thinned(self.points)).decode()


_decode = msgspec.json.Decoder(Line).decode


def read(written: bytes) -> Seen:
    """Never raises: what is no line of a step is passed over."""
    by_step: dict[int, int] = {}
    latest: Line | None = None
    for line in written.split(b"\n")[:-1]:
        try:
            told = _decode(line)
        except (msgspec.DecodeError, msgspec.ValidationError):
            continue
        if latest is not None and told.step <= latest.step:
            by_step = {step: loss for step, loss in by_step.items() if step < told.step}
        by_step[told.step] = round(told.loss * MICROS)
        latest = told
    if latest is None:
        return Seen()
    return Seen(latest.step, latest.steps, by_step[latest.step], tuple(by_step.items()))


def line(step: int, steps: int, loss: float) -> bytes:
    return msgspec.json.encode(Line(step, steps, loss)) + b"\n"
