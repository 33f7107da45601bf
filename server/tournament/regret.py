"""How far each seat of a session was from perfect play, as its transcript's annotations say. Pure.

An annotation of kind `regret` (`server.commentary`) gives each seat's mean over the decisions that could be
judged, in thousandths of the stake, and lists the judged rounds, which weigh it.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Judged(msgspec.Struct, frozen=True):
    """One seat of one session."""

    mean_milli: float
    weight: int
    """Judged rounds that the mean is over; a forfeit counts as one."""


class _Entry(msgspec.Struct):
    type: str
    body: dict[str, Any]


class _Transcript(msgspec.Struct):
    entries: list[_Entry]


class _Regret(msgspec.Struct):
    mean_regret_milli: list[int]
    plies: list[Any]


_decoder = msgspec.json.Decoder(_Transcript)


def regrets(document: bytes) -> dict[int, Judged]:
    """By seat; empty where nothing was judged, e.g. since the variant has no table."""
    for entry in _decoder.decode(document).entries:
        if entry.type != "annotation" or entry.body.get("kind") != "regret":
            continue
        try:
            found = msgspec.convert(entry.body, _Regret)
        except msgspec.ValidationError:
            continue  # unavailable, or of a later version
        if found.plies:
            means = enumerate(found.mean_regret_milli)
            return {seat: Judged(mean, len(found.plies)) for seat, mean in means}
    return {}
