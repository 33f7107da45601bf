"""No text and no JSON of an agent raises anything but the two errors that are the agent's fault."""

from __future__ import annotations

import contextlib
import random
import unicodedata
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces import canonical
from spaces.seed import Streams
from spaces.space import IllegalAction, InvalidAction
from tests.conformance.cases import SPACES
from tests.conformance.plays import Plays
from tests.conformance.rig import AnySpace

SESSIONS = 40
"""Of each Space, from whose states the texts are tried."""

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=400)
PIECES = [
    "{",
    "}",
    '"',
    ":",
    ",",
    "[",
    "]",
    "=",
    ".",
    "-",
    "*",
    "`",
    "bid",
    "cell",
    "kind",
    "null",
    "0",
    "4",
    "18",
    "1e3",
    "0x1",
    "٤",
    "\n",
    "\r",
    "\t",
    "\x1b[2J",
    "\u202e",
]
NEARLY_ANSWERS = st.lists(st.sampled_from([*PIECES, " ", "1" * 15, "1" * 400]), max_size=40).map(
    "".join
)
TEXT = ANY_TEXT | NEARLY_ANSWERS
HARMFUL = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Categories that move a cursor, hide, or turn text around."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["kind", "bid", "cell", "text"]) | st.text(max_size=8),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@cache
def plays_of(space: AnySpace) -> Plays:
    return Plays(space, {})


@cache
def positions(space: AnySpace, number: int) -> list[tuple[Any, Streams]]:
    """The states of a session in which a decision is open."""
    session = plays_of(space).session(number)
    open_ = [state for state in session.states if space.decisions(state)]
    return [(state, session.streams) for state in open_]


@cache
def kinds(space: AnySpace) -> set[str]:
    return {
        each.kind
        for number in range(SESSIONS)
        for state, _ in positions(space, number)
        for each in space.decisions(state)
    }


def reachable(space: AnySpace, number: int) -> tuple[Any, Streams]:
    """Some state in which a decision is open."""
    rng = random.Random(number)
    return rng.choice(positions(space, rng.randrange(SESSIONS)))


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.id)
@settings(max_examples=300, deadline=None)
@given(text=TEXT, number=st.integers(0, 500))
def test_any_text_is_an_action_or_the_agents_fault(space: AnySpace, text: str, number: int) -> None:
    state, streams = reachable(space, number)
    for decision in space.decisions(state):
        try:
            action = space.parse(decision.kind, text)
        except InvalidAction:
            continue
        assert space.decode_action(space.encode_action(action)) == action
        try:
            after = space.apply(state, decision.seat, action, streams)
        except IllegalAction:
            continue
        for viewer in (None, *range(space.seats)):
            canonical.encode(space.observe(after, viewer))
        assert not HARMFUL & {unicodedata.category(c) for c in space.render(after) if c != "\n"}


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.id)
@settings(max_examples=200, deadline=None)
@given(body=JSON, number=st.integers(0, 500))
def test_any_json_is_an_action_or_the_agents_fault(space: AnySpace, body: Any, number: int) -> None:
    state, streams = reachable(space, number)
    try:
        action = space.decode_action(body)
    except InvalidAction:
        return
    for decision in space.decisions(state):
        with contextlib.suppress(IllegalAction):
            space.apply(state, decision.seat, action, streams)


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.id)
@settings(deadline=None)
@given(kind=st.text(max_size=20))
def test_an_unknown_kind_is_refused(space: AnySpace, kind: str) -> None:
    if kind not in kinds(space):
        with pytest.raises(InvalidAction):
            space.parse(kind, "anything")
