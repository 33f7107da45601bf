"""No text and no JSON of an agent raises anything but the two errors that are the agent's fault."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spaces import canonical
from spaces.space import IllegalAction, InvalidAction
from tests.conformance.cases import SPACES
from tests.conformance.hostile import Hostile, Spot
from tests.conformance.rig import AnySpace

HARMFUL = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Categories that move a cursor, hide, or turn text around."""
FAIR_SHARE = 0.1
"""Of what is tried, so much must be an action that the rules take, and so much must be none: else
we test the door alone."""
FEW, MANY = 150, 300
"""What is tried of each kind, in `make test` and in `make test-slow`."""

hostile = cache(Hostile)


@pytest.fixture(params=[FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def tried(request: pytest.FixtureRequest) -> settings:
    # The first example of a Space plays its sessions, which is slow by the measure of an example.
    slow = [HealthCheck.too_slow]
    return settings(max_examples=request.param, deadline=None, suppress_health_check=slow)


def check_applied(space: AnySpace, spot: Spot, action: Any) -> str:
    """What became of an action: whatever was read, what follows can be shown to anyone."""
    body = space.encode_action(action)
    canonical.encode(body)
    assert space.decode_action(body) == action
    try:
        after = space.apply(spot.state, spot.decision.seat, action, spot.streams)
    except IllegalAction:
        return "illegal"
    for viewer in (None, *range(space.seats)):
        canonical.encode(space.observe(after, viewer))
    shown = space.render(after) + space.headline(after)
    assert not HARMFUL & {unicodedata.category(c) for c in shown if c != "\n"}
    return "applied"


def check_shares(became: Counter[str], tried: settings) -> None:
    """Enough of what was tried came through the door, and enough did not."""
    total = became.total()
    assert total >= tried.max_examples / 2
    assert became["applied"] >= FAIR_SHARE * total
    # Where any words are an answer, as in writing, only the empty and the endless are refused.
    assert became["invalid"] + became["illegal"] >= FAIR_SHARE * total / 4


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.id)
def test_any_text_is_an_action_or_the_agents_fault(space: AnySpace, tried: settings) -> None:
    became: Counter[str] = Counter()

    @tried
    @given(hostile(space).texts)
    def try_text(drawn: tuple[Spot, str]) -> None:
        spot, text = drawn
        try:
            action = space.parse(spot.decision.kind, text)
        except InvalidAction:
            became["invalid"] += 1
        else:
            became[check_applied(space, spot, action)] += 1

    try_text()
    check_shares(became, tried)


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.id)
def test_any_json_is_an_action_or_the_agents_fault(space: AnySpace, tried: settings) -> None:
    became: Counter[str] = Counter()

    @tried
    @given(hostile(space).bodies)
    def try_body(drawn: tuple[Spot, Any]) -> None:
        spot, body = drawn
        try:
            action = space.decode_action(body)
        except InvalidAction:
            became["invalid"] += 1
        else:
            became[check_applied(space, spot, action)] += 1

    try_body()
    check_shares(became, tried)


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.id)
def test_an_unknown_kind_is_refused(space: AnySpace, tried: settings) -> None:
    known = hostile(space)
    real = st.sampled_from(known.spots).map(lambda spot: spot.answer)

    @tried
    @given(st.text(max_size=20), real)
    def try_kind(kind: str, text: str) -> None:
        if kind not in known.kinds:
            with pytest.raises(InvalidAction):
                space.parse(kind, text)

    try_kind()
