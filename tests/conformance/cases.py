"""The sessions that the conformance suite plays of each Space, besides the default one.

A Space that is not listed is tested with its defaults; a Space with variants lists them here, the
smallest and the largest sessions among them.
"""

from __future__ import annotations

import itertools
from typing import Any

from spaces import registry
from tests.conformance.rig import AnySpace
from tests.conformance.tides import Tides

Variants = list[dict[str, Any]]

BID_TAC_TOE: Variants = [
    *(
        {"payment": payment, "ties": ties, "chips": 3}
        for payment, ties in itertools.product(
            ("all-pay", "richman", "poorman"), ("coin", "advantage-chip", "rebid")
        )
    ),
    {"chips": 1, "payment": "richman", "ties": "rebid", "decided_by": "draw"},
    {"chips": 10_000, "payment": "poorman", "decided_by": "draw"},
]

RAP_BATTLE: Variants = [
    {"rounds": 1, "bars": 1, "char_limit": 40},
    {"rounds": 8, "bars": 16, "char_limit": 2_000, "topic": "x" * 120},
]

WRITING: Variants = [
    {"form": "poem", "char_limit": 80, "subject": "x" * 120},
    {"form": "tweet", "constraints": [], "char_limit": 2_000},
    {"constraints": [{"is": "bullets", "count": 3}, {"is": "ends", "mark": "?"}]},
]

PREDICTION: Variants = [
    {"kind": "probability"},
    {"kind": "probability", "score": "log", "threshold": "100.5", "questions": 1},
    {"questions": 1, "history": 120, "horizon": 50, "levels": list(range(5, 100, 5))},
    {"questions": 6, "history": 8, "horizon": 1, "levels": [50]},
    {"feed": "live", "series": "BTC/USDT", "horizon": 2, "cutoff_s": 5, "step_s": 86_400}
    | {"levels": [50], "history": 8},
]

LOGIC: Variants = [
    {"rounds": 1, "level": "hard", "topics": ["string_manipulation"], "limit_ms": 5_000},
    {"rounds": 5, "level": "medium", "topics": ["words", "paths"], "limit_ms": 600_000},
]

TRADE_WARS: Variants = [
    {"rounds": 1, "candles": 1, "history": 5, "stake": 1},
    {"feed": "live", "series": "BTC/USDT", "rounds": 2, "candles": 3},
    {"rounds": 10, "candles": 2, "stake": 10_000_000},
]

PARAMS: dict[str, Variants] = {
    "bid-tac-toe": BID_TAC_TOE,
    "rap-battle": RAP_BATTLE,
    "writing": WRITING,
    "prediction": PREDICTION,
    "logic": LOGIC,
    "trade-wars": TRADE_WARS,
    "tides": [{"rounds": 1}, {"rounds": 9}],
}

BRIDGED: tuple[str, ...] = (
    "openspiel:goofspiel:num_cards-4",
    "openspiel:kuhn_poker",
    "openspiel:kuhn_poker:players-3",
    "openspiel:leduc_poker",
    "openspiel:liars_dice",
    "openspiel:matrix_pd",
    "openspiel:tic_tac_toe",
    "textarena:iteratedrockpaperscissors-v0",
    "textarena:kuhnpoker-v0",
    "textarena:tictactoe-v0",
)
"""Games of other projects, by the id that the registry resolves, e.g. `openspiel:kuhn_poker`."""

TIDES = Tides()

SPACES: tuple[AnySpace, ...] = (
    *registry.all_spaces(),
    *(registry.get(space_id) for space_id in BRIDGED),
    TIDES,
)

Case = tuple[AnySpace, dict[str, Any]]

CASES: list[Case] = [
    (space, params) for space in SPACES for params in [{}, *PARAMS.get(space.id, [])]
]


def share(number: int, of: int) -> list[Case]:
    """Every `of`-th case from `number` on, counted from 1: shares cost about the same."""
    return CASES[number - 1 :: of]


def case_id(case: Case) -> str:
    space, params = case
    told = ",".join(f"{key}={str(value)[:12]}" for key, value in params.items())
    return f"{space.id}[{told}]"
