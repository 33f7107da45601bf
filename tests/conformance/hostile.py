"""Hostile answers to any Space, made of its own: what it takes, bent until it may not take it.

Random text is refused at the door. What tries the rules behind it is nearly an answer: a real one with
a piece cut out, doubled or spliced with what breaks readers, in other digits, with a number that fits
no register, wrapped in deep JSON. The same is done to the JSON form of actions.
"""

from __future__ import annotations

import copy
import random
import re
from functools import cached_property
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from spaces.seed import Streams
from spaces.space import Decision
from tests.conformance.cases import CASES
from tests.conformance.plays import Plays
from tests.conformance.rig import AnySpace, Session

SESSIONS = 15
"""Of each case, from whose states the answers are taken."""
LONGEST = 100_000
"""Characters of a text that was repeated, also more than once: no frame holds more."""
SPOTS = 300
"""Open decisions of a Space, drawn from those sessions."""

PIECES = (
    *"{}[]\"'\\:,=.-+*`_#<>%/| \n\r\t\0",
    *("null", "true", "NaN", "Infinity", "-0", "0x1", "1e3", "1e999", "1_000", "0" * 400),
    *("9" * 15, "9" * 400, str(2**53), str(-(2**63)), "0.1", "-1", "1.", ".5", "1/2"),
    # Digits, minuses, letters and spaces that are others than they seem.
    *("\u0664", "\uff14", "\xb2", "\u2163", "\U0001d7dc", "\u22121", "\u3000", "\xa0"),
    *("\xe9", "e\u0301" * 60, "\xdf", "\u0130", "\ufb01"),
    *("\x1b[2J", "\u202e", "\u2028", "\u200b", "\ufeff", "\x85", "\ud800", "\udfff", "\U0010ffff"),
    *('{"', '"}', "```json\n", "\n```", "[" * 2_000, '{"a":' * 2_000, "\n" * 500),
)
DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
# What a document that we read may hold: its reader refuses lone surrogates, NaN and infinities.
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**400, 0.5, 1e300),
    *("", "0", "-1", "1e999", "\u0664", "\x1b[2J", "\u202e", "\U0010ffff", "x" * 5_000),
    *([], {}, [[]], [None], {"": None}, {"kind": None}),
)


class Spot(NamedTuple):
    """An open decision, an answer that is legal there, and the action that it is read as."""

    state: Any
    streams: Streams
    decision: Decision
    answer: str
    action: Any


class Hostile:
    """What is said to one Space."""

    def __init__(self, space: AnySpace) -> None:
        self.space = space

    @cached_property
    def _sessions(self) -> list[Session]:
        cases = [params for space, params in CASES if space is self.space]
        each = max(SESSIONS // len(cases), 4)
        return [Plays(self.space, params).session(n) for params in cases for n in range(each)]

    @cached_property
    def spots(self) -> list[Spot]:
        """Some of each case, in all kinds of decisions."""
        rng = random.Random(0)
        found = [
            (session, state, decision)
            for session in self._sessions
            for state in session.states
            for decision in self.space.decisions(state)
        ]
        chosen = rng.sample(found, min(SPOTS, len(found)))
        return [self._spot(*each, rng) for each in chosen]

    def _spot(self, session: Session, state: Any, decision: Decision, rng: random.Random) -> Spot:
        space, kind, seat = self.space, decision.kind, decision.seat
        answer = space.random_answer(kind, space.observe(state, seat), seat, rng)
        action = space.stamp(space.parse(kind, answer), rng.randrange(decision.time_limit_ms))
        return Spot(state, session.streams, decision, answer, action)

    @cached_property
    def kinds(self) -> set[str]:
        return {spot.decision.kind for spot in self.spots}

    @cached_property
    def words(self) -> list[str]:
        """Of which this Space's answers and the JSON of its actions consist."""
        bodies = (msgspec.json.encode(self._body(spot)).decode() for spot in self.spots)
        said = " ".join([*(spot.answer for spot in self.spots), *bodies])
        return sorted(set(re.findall(r"\w+|[^\w\s]", said)))[:500]

    def _body(self, spot: Spot) -> dict[str, Any]:
        return self.space.encode_action(spot.action)

    @cached_property
    def texts(self) -> st.SearchStrategy[tuple[Spot, str]]:
        """A decision and an answer to it."""
        pieces = st.sampled_from(PIECES) | st.sampled_from(self.words) | st.characters()
        salad = st.lists(pieces, max_size=30).map("".join)
        anything = st.text(st.characters(exclude_categories=[]), max_size=400)
        bent = st.tuples(st.sampled_from(self.spots), st.lists(_bend(pieces), max_size=3))
        return (
            bent.map(lambda drawn: (drawn[0], _bent(drawn[0].answer, drawn[1])))
            | st.tuples(st.sampled_from(self.spots), salad | anything)
            | st.tuples(st.sampled_from(self.spots), st.sampled_from(self.spots)).map(
                lambda two: (two[0], two[1].answer)
            )
        )

    @cached_property
    def bodies(self) -> st.SearchStrategy[tuple[Spot, Any]]:
        """A decision and the JSON of an action, which may be meant for another one."""
        keys = st.sampled_from(self.words) | st.text(max_size=8)
        leaves = (
            st.sampled_from(VALUES)
            | st.sampled_from(self.words)
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
        )
        values = leaves | st.lists(leaves, max_size=3) | st.dictionaries(keys, leaves, max_size=3)
        seeds = st.integers(0, 2**32)
        changes = st.lists(st.tuples(st.sampled_from(_CHANGES), seeds, keys, values), max_size=2)
        bent = st.tuples(st.sampled_from(self.spots), changes).map(
            lambda drawn: _changed(self._body(drawn[0]), drawn[1])
        )
        near = st.tuples(st.sampled_from(self.spots), seeds).map(
            lambda drawn: _near(self._body(drawn[0]), random.Random(drawn[1]))
        )
        anything = values | st.dictionaries(keys, values, max_size=4)
        bodies = st.integers(0, 9).flatmap(lambda n: near if n < 6 else bent if n < 9 else anything)
        return st.tuples(st.sampled_from(self.spots), bodies)


class _Bend(NamedTuple):
    how: str
    at: float
    to: float
    piece: str


_HOWS = (
    "cut",
    "double",
    "splice",
    "swap",
    "number",
    "digits",
    "wide",
    "case",
    "wrap",
    "deep",
    "say",
)


def _bend(pieces: st.SearchStrategy[str]) -> st.SearchStrategy[_Bend]:
    place = st.floats(0, 1)
    return st.builds(_Bend, st.sampled_from(_HOWS), place, place, pieces)


def _bent(text: str, bends: list[_Bend]) -> str:
    for bend in bends:
        text = _bent_once(text, bend)
    return text


def _bent_once(text: str, bend: _Bend) -> str:
    piece = bend.piece
    at, to = sorted((int(bend.at * len(text)), int(bend.to * len(text))))
    match bend.how:
        case "cut":
            return text[:at] + text[to:]
        case "double":
            return text[:to] + text[at:]
        case "splice":
            return text[:at] + piece + text[at:]
        case "swap":
            return text[:at] + piece + text[to:]
        case "number":
            return re.sub(r"[0-9]+", lambda _: piece, text, count=1 + int(bend.at * 3))
        case "digits":
            return text[:at] + text[at:].translate(DIGITS)
        case "wide":
            return text[:at] + text[at:to].translate(WIDE) + text[to:]
        case "case":
            return text[:at] + text[at:].swapcase()
        case "wrap":
            return f"```json\n{text}\n```"
        case "deep":
            depth = int(bend.at * bend.to * 3_000) + 1
            return "[" * depth + text + "]" * depth if bend.at < 0.5 else '{"a":' * depth + text
        case _:
            return f"I say {piece} and mean it.\n{text}\n"


_CHANGES = ("put", "drop", "add", "rename", "wrap", "deep", "repeat")


def _changed(body: Any, changes: list[tuple[str, int, str, Any]]) -> Any:
    for how, seed, key, value in changes:
        body = _changed_once(copy.deepcopy(body), how, random.Random(seed), key, value)
    return body


def _changed_once(body: Any, how: str, rng: random.Random, key: str, value: Any) -> Any:
    """One change somewhere in a body of objects and lists."""
    inner = list(_containers(body))
    if how == "wrap" or not inner:
        return [body, {key: body}, [body, value]][rng.randrange(3)]
    where = rng.choice(inner)
    keys = list(where) if isinstance(where, dict) else list(range(len(where)))
    if how == "add" or not keys:
        if isinstance(where, dict):
            where[key] = value
        else:
            where.append(value)
        return body
    chosen = rng.choice(keys)
    if how == "drop":
        del where[chosen]
    elif how == "rename" and isinstance(where, dict):
        where[key] = where.pop(chosen)
    elif how == "deep":
        for _ in range(rng.choice((1, 20, 150))):
            value = [value]
        where[chosen] = value
    elif how == "repeat" and isinstance(where, list):
        where.insert(rng.randrange(len(where) + 1), where[chosen])
    elif how == "repeat" and isinstance(where[chosen], int | str):
        where[chosen] = _repeated(where[chosen], rng.choice((-1, 2, 1_000)))
    else:
        where[chosen] = value
    return body


def _repeated(value: Any, times: int) -> Any:
    return (value * times)[:LONGEST] if isinstance(value, str) else value * times


def _near(body: Any, rng: random.Random) -> Any:
    """Some leaf, if any, is another of its type; it may well be legal."""
    body = copy.deepcopy(body)
    leaves = [
        (where, key)
        for where in _containers(body)
        for key in (where if isinstance(where, dict) else range(len(where)))
        if isinstance(where[key], int | str)
    ]
    if leaves and rng.random() < 0.7:
        where, key = rng.choice(leaves)
        old = where[key]
        if isinstance(old, bool):
            where[key] = not old
        elif isinstance(old, int):
            where[key] = rng.choice((0, 1, 2, 5, 8, old - 1, old + 1, 2 * old, -old, old // 2))
        else:
            bend = _Bend(rng.choice(_HOWS), rng.random(), rng.random(), rng.choice(PIECES))
            where[key] = _bent_once(old, bend).encode(errors="replace").decode()
    return body


def _containers(body: Any) -> list[Any]:
    """The body and every object and list in it."""
    if not isinstance(body, dict | list):
        return []
    inner = body.values() if isinstance(body, dict) else body
    return [body, *(each for value in inner for each in _containers(value))]
