"""The canonical text of an answer: whatever `parse` reads, its text is read as the same again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces import registry
from spaces.bid_tac_toe.answers import Bid, Mark
from spaces.bridges.theirs.openspiel import answers as openspiel
from spaces.logic.answers import Answer
from spaces.prediction.answers import Probability, Quantiles
from spaces.space import InvalidAction
from spaces.trade_wars.state import Order

_ODD = [*'{}"\\:, \nabq*`-5.%e', "answer: ", "action: ", "é"]
ODD = st.lists(st.sampled_from(_ODD), max_size=30).map("".join)
"""Braces, quotes and what the grammars of the Spaces are made of."""
KINDS = {
    "bid-tac-toe": ("bid", "mark"),
    "logic": ("answer",),
    "rap-battle": ("verse",),
    "writing": ("text",),
    "prediction": ("quantiles", "probability"),
    "trade-wars": ("order",),
}


def same_again(space: Any, kind: str, text: str) -> None:
    try:
        action = space.parse(kind, text)
    except InvalidAction:
        return
    assert space.parse(kind, space.answer_text(action)) == action


@given(st.sampled_from(sorted(KINDS)), st.data())
@settings(deadline=None)
def test_whatever_is_read_is_read_again_from_its_text(space_id: str, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS[space_id]))
    lead = data.draw(st.sampled_from(["", f"{kind}: ", "cell: ", '{"answer": "', "order: LONG "]))
    same_again(registry.get(space_id), kind, lead + data.draw(ODD))


@given(st.integers(-(2**53) + 1, 2**53 - 1) | ODD.filter(bool))
@settings(deadline=None)
def test_a_move_of_openspiel_is_read_again_from_its_text(action: int | str) -> None:
    space = registry.get("openspiel:kuhn_poker")
    move = openspiel.Move(action)
    assert space.parse(openspiel.KIND, space.answer_text(move)) == move


@pytest.mark.parametrize(
    ("space_id", "action", "text"),
    [
        ("bid-tac-toe", Bid(17), '{"bid": 17}'),
        ("bid-tac-toe", Mark(0), '{"cell": 0}'),
        ("trade-wars", Order("LONG", 40), '{"side": "LONG", "size": 40}'),
        ("trade-wars", Order("FLAT"), '{"side": "FLAT", "size": 0}'),
        ("logic", Answer("a {3} is é", 5_000), '{"answer": "a \\u007b3\\u007d is é"}'),
        ("prediction", Probability("0.62"), '{"probability": 0.62}'),
        ("prediction", Quantiles(("98", "101.2"), (5, 95)), '{"q05": 98, "q95": 101.2}'),
        ("prediction", Quantiles(("98", "101.2")), '{"quantiles": [98, 101.2]}'),
    ],
)
def test_texts_are_the_json_of_the_answer_schema(space_id: str, action: Any, text: str) -> None:
    assert registry.get(space_id).answer_text(action) == text
