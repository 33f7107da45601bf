"""Whether what a server answers is what an adapter makes of its base. Pure.

Served weights are quantised otherwise than those that were trained on, so log-probabilities are never equal. What is
compared is the adapter's *shift*: log-probability with it less log-probability without it, token by token, in which the
quantisation's error mostly cancels. A server that leaves the adapter out has a shift of zero: its error is all of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from training.documents.fingerprint import Answer, Fingerprint

LEAST_SHIFT = 0.01
"""Nats, weighted by probability: what changes less cannot be told from nothing."""
MOST_ERROR = 0.5
"""Of the shift, as a share of it: 1 is what leaving the adapter out gives, and an unrelated adapter more."""
MOST_BASE_ERROR = 0.5
"""Nats between the served base and the recorded one; another model is several nats away."""
LEAST_TOKENS = 3
"""That all four lists of a prompt have in common; one that has fewer says nothing."""

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
    shift = moved = off = base_off = 0.0
    weights = 0.0
    for answer, (base, adapter) in zip(recorded.answers, served, strict=True):
        for token, weight in _weights(answer, base, adapter).items():
            expected = (answer.adapter[token] - answer.base[token]) / 1e6
            found = adapter[token] - base[token]
            weights += weight
            shift += weight * abs(expected)
            moved += weight * abs(found)
            off += weight * abs(found - expected)
            base_off += weight * abs(base[token] - answer.base[token] / 1e6)
    if not weights:
        raise Misfit(
            "the server's likeliest words are not among those recorded: it serves another model"
        )
    fit = Fit(
        shift / weights, moved / weights, off / shift if shift else math.inf, base_off / weights
    )
    _check(fit)
    return fit


def _weights(answer: Answer, base: Logs, adapter: Logs) -> dict[str, float]:
    """The tokens that can be compared, and how likely each is."""
    common = answer.base.keys() & answer.adapter.keys() & base.keys() & adapter.keys()
    if len(common) < LEAST_TOKENS:
        return {}
    return {
        token: (math.exp(answer.base[token] / 1e6) + math.exp(answer.adapter[token] / 1e6)) / 2
        for token in common
    }


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
