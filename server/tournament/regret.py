"""How far each seat of a session was from perfect play, as its transcript's annotations say. Pure.

An annotation of kind `regret` names, for each decision that it could judge, the seat and the milli-units of
the stake that were given away there: `{"kind": "regret", "plies": [{"seat", "regret_milli"}, …]}`.
"""

from __future__ import annotations

from typing import Any

import msgspec


class _Entry(msgspec.Struct):
    type: str
    body: dict[str, Any]


class _Transcript(msgspec.Struct):
    entries: list[_Entry]


_decoder = msgspec.json.Decoder(_Transcript)


def regrets(document: bytes) -> dict[int, list[int]]:
    """Seat -> its regrets in thousandths of the stake; empty where nothing was annotated."""
    found: dict[int, list[int]] = {}
    for entry in _decoder.decode(document).entries:
        if entry.type != "annotation" or entry.body.get("kind") != "regret":
            continue
        for ply in entry.body.get("plies", ()):
            found.setdefault(int(ply["seat"]), []).append(int(ply["regret_milli"]))
    return found
