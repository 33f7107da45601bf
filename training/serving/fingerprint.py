"""Whether what a server answers is what an adapter makes of its base. Pure.

Served weights are quantised otherwise than those that were trained on, so log-probabilities are never equal. What is
compared is the adapter's *shift*: log-probability with it less log-probability without it, token by token, in which the
quantisation's error mostly cancels. A server that leaves the adapter out has a shift of zero: its error is all of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from training.documents.fingerprint import Fingerprint

LEAST_SHIFT = 0.2
"""Nats, weighted by probability: quantisation alone moves SmolLM2-135M by 0.1, so that less cannot be told from nothing."""
MOST_ERROR = 0.5
"""Of the shift, as a share of it: 1 is what leaving the adapter out gives, and an unrelated adapter more."""
MOST_BASE_ERROR = 0.5
"""Nats between the served base and the recorded one; another model is several nats away."""
LEAST_TOKENS = 3
"""Of a prompt, that a server names and the record knows; one that has fewer says nothing."""

Logs = Mapping[str, float]
"""Token's text -> natural logarithm of its probability."""


class Misfit(ValueError):
    """What the server answers is not what the adapter should make it answer; the text says how."""


class Fit(msgspec.Struct, frozen=True):
    """In nats but for `error`."""

    shift: float
    """How far the adapter moves log-probabilities, as recorded."""
    served_shift: float
    error: float
    """Share of the shift by which the served one is off; 0 is equal."""
    base_error: float


def compare(recorded: Fingerprint, served: Sequence[tuple[Logs, Logs]]) -> Fit:
    """`served`: for each prompt of the fingerprint what the server answers without and with the adapter. Raises Misfit."""
    shift, moved, off, base_off = _Mean(), _Mean(), _Mean(), _Mean()
    for answer, (base, adapter) in zip(recorded.answers, served, strict=True):
        common = answer.base.keys() & answer.adapter.keys()
        if len(common & adapter.keys()) < LEAST_TOKENS:
            continue
        for token in common & base.keys():
            expected = answer.base[token] / 1e6
            base_off.add(abs(base[token] - expected), math.exp(expected))
        for token in common & adapter.keys():
            plain, adapted = answer.base[token] / 1e6, answer.adapter[token] / 1e6
            # What the base hardly ever says, and the adapter does, is not among the base's likeliest.
            found = adapter[token] - base.get(token, plain)
            weight = (math.exp(plain) + math.exp(adapted)) / 2
            shift.add(abs(adapted - plain), weight)
            moved.add(abs(found), weight)
            off.add(abs(found - (adapted - plain)), weight)
    if not shift.weight or not base_off.weight:
        raise Misfit(
            "the server's likeliest words are not among those recorded: it serves another model"
        )
    error = off.value / shift.value if shift.value else math.inf
    fit = Fit(shift.value, moved.value, error, base_off.value)
    _check(fit)
    return fit


class _Mean:
    """Weighted."""

    def __init__(self) -> None:
        self.weight = 0.0
        self._sum = 0.0

    def add(self, value: float, weight: float) -> None:
        self.weight += weight
        self._sum += weight * value

    @property
    def value(self) -> float:
        return self._sum / self.weight


def _check(fit: Fit) -> None:
    if fit.base_error > MOST_BASE_ERROR:
        raise Misfit(
            f"its base is {fit.base_error:.2f} nats from the recorded one: it serves another model"
        )
    if fit.shift < LEAST_SHIFT:
        raise Misfit(
            f"the adapter changes nothing: {fit.shift:.4f} nats, {LEAST_SHIFT} can be told from nothing"
        )
    if fit.served_shift < fit.shift * MOST_ERROR:
        raise Misfit(
            f"the server answers as if without it: it moves {fit.served_shift:.4f} nats, {fit.shift:.4f} were recorded"
        )
    if fit.error > MOST_ERROR:
        raise Misfit(
            f"the server answers otherwise than the adapter does: {fit.error:.0%} of its shift is wrong"
        )
