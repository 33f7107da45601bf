"""The sessions that the conformance suite plays of each Space, besides the default one.

A Space that is not listed is tested with its defaults; a Space with variants lists them here.
"""

from __future__ import annotations

from typing import Any

from spaces.registry import all_spaces
from tests.conformance.rig import AnySpace

_BIDDING: list[dict[str, Any]] = [
    {"payment": payment, "ties": ties}
    for payment in ("all-pay", "richman", "poorman")
    for ties in ("coin", "advantage-chip", "rebid")
]

PARAMS: dict[str, list[dict[str, Any]]] = {
    "bid-tac-toe": [
        *({**variant, "chips": 3} for variant in _BIDDING),
        {"chips": 1, "payment": "richman", "ties": "rebid", "decided_by": "draw"},
        {"chips": 10_000, "payment": "poorman", "decided_by": "draw"},
    ],
    "rap-battle": [
        {"rounds": 1, "bars": 1, "char_limit": 40},
        {"rounds": 8, "bars": 16, "char_limit": 2_000, "topic": "x" * 120},
    ],
}

CASES: list[tuple[AnySpace, dict[str, Any]]] = [
    (space, params) for space in all_spaces() for params in [{}, *PARAMS.get(space.id, [])]
]


def case_id(case: tuple[AnySpace, dict[str, Any]]) -> str:
    space, params = case
    told = ",".join(f"{key}={str(value)[:12]}" for key, value in params.items())
    return f"{space.id}[{told}]"
