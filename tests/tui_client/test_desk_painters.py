"""Whatever an arena answers, every page of the desk is painted within its bounds and moves no cursor."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.text import Text

from tests.tui_client.painted import FORBIDDEN, assert_fills, words_on
from tui_client.owner import answers as answered
from tui_client.owner import careers, learning
from tui_client.owner.pixels import Pixels
from tui_client.recording import desk as recorded
from tui_client.state import State
from tui_client.widgets.desk import (
    agents,
    automation,
    compare,
    dashboard,
    edit,
    history,
    key,
    lineage,
    money,
    title,
    training_gate,
    training_job,
    training_spaces,
    training_versions,
)
from tui_client.widgets.desk.face import face

Painter = Callable[[State, int, int], Sequence[Text]]
PAGES: dict[str, tuple[tuple[str, ...], tuple[Painter, ...]]] = {
    "agents": ((), (agents.paint_agents, agents.paint_card)),
    "edit": (("e",), (edit.paint_edit,)),
    "automation": (
        ("p",),
        (automation.paint_limits, automation.paint_run, automation.paint_payouts),
    ),
    "money": (("m",), (money.paint_purses, money.paint_crossings, money.paint_statement)),
    "dashboard": (
        ("d",),
        (
            dashboard.paint_card,
            history.paint_history,
            lineage.paint_lineage,
            dashboard.paint_plots,
        ),
    ),
    "training": (
        ("t",),
        (
            training_spaces.paint_spaces,
            training_job.paint_job,
            training_gate.paint_gate,
            training_versions.paint_versions,
        ),
    ),
    "past-trainings": (
        ("t", "tab", "tab"),
        (training_job.paint_job, training_gate.paint_gate, training_versions.paint_versions),
    ),
    "roll-back": (("t", "tab", "r"), (training_job.paint_job, training_versions.paint_versions)),
    "choice": (("d", "c"), (compare.paint_compare,)),
    "compare": (("d", "c", "enter"), (compare.paint_compare,)),
}

NASTY = "\x1b[2J\x1b[1;1H[bold red]\u202eboo\u0301\u0302\u0303\u0304[/]\x07\r\n日本" * 3
words = st.sampled_from(
    ["", NASTY, "a" * 400, "\ud7ff\u200b", "agent-frostbite", "rap-battle", "-", "@v1"]
)
counts = st.sampled_from([0, 1, 2, 7, -5, 10**6, 2**53, -(2**53)])


def strategy_of(type_: Any) -> st.SearchStrategy[Any]:
    """Answers of a type, hostile in every field."""
    fields = {}
    for field in msgspec.structs.fields(type_):
        fields[field.name] = of_info(msgspec.inspect.type_info(field.type))
    return st.builds(type_, **fields)


def of_info(info: Any) -> st.SearchStrategy[Any]:
    match info:
        case msgspec.inspect.StructType():
            return strategy_of(info.cls)
        case msgspec.inspect.VarTupleType():
            return st.lists(of_info(info.item_type), max_size=3).map(tuple)
        case msgspec.inspect.UnionType():
            return st.one_of(*map(of_info, info.types))
        case msgspec.inspect.DictType(value_type=value) if not isinstance(
            value, msgspec.inspect.AnyType
        ):
            return st.dictionaries(words, of_info(value), max_size=2)
        case msgspec.inspect.DictType():
            return st.just({"windows": [{"days": NASTY, "opens": 7}]}) | st.just({NASTY: NASTY})
        case msgspec.inspect.StrType():
            return words
        case msgspec.inspect.IntType():
            return counts
        case msgspec.inspect.FloatType():
            return st.floats(0, 2)
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.NoneType():
            return st.none()
    raise AssertionError(info)


TYPES = (
    answered.OwnAgents, answered.SpaceList, answered.Shelf, answered.Fees, answered.Automation, answered.Balances,
    answered.Statement, answered.Crossings, answered.Sessions, careers.Stats, careers.History, careers.Series,
    careers.Versions, careers.Comparison, careers.HeadToHead, careers.Board,
    learning.Training, learning.DataCard, learning.Gate, learning.Lineage,
)  # fmt: skip
HOSTILE = {type_: strategy_of(type_) for type_ in TYPES}


class Told(dict[str, Any]):
    """What an arena answers, by path; shows only what is not as it should be."""

    def __repr__(self) -> str:
        right = recorded.answers()
        return repr({path: value for path, value in self.items() if value != right[path]})


@st.composite
def arenas(draw: st.DrawFn) -> Told:
    """Some as it should be, some hostile."""
    known = Told(recorded.answers())
    for path, value in known.items():
        if type(value) in HOSTILE and draw(st.integers(0, 5)) == 0:
            known[path] = draw(HOSTILE[type(value)])
    return known


@pytest.mark.parametrize("name", PAGES)
@settings(deadline=None, max_examples=25)
@given(known=arenas(), width=st.integers(4, 150), height=st.integers(2, 45))
def test_whatever_is_answered_is_painted(
    name: str, known: dict[str, Any], width: int, height: int
) -> None:
    keys, painters = PAGES[name]
    state = recorded.at_desk(*keys, known=known)
    title.paint_title(state, width)
    for paint in painters:
        rows = paint(state, width, height)
        assert len(rows) <= height
        assert all(row.cell_len <= width for row in rows if width >= 12)
        assert (
            not {unicodedata.category(each) for each in words_on(rows).replace("\n", "")}
            & FORBIDDEN
        )


@settings(deadline=None, max_examples=50)
@given(told=strategy_of(answered.Escrow), width=st.integers(12, 60), height=st.integers(2, 20))
def test_whatever_an_arena_says_of_an_escrow_is_painted(
    told: answered.Escrow, width: int, height: int
) -> None:
    state = recorded.at_desk("m", known=recorded.on_chain(told))
    rows = money.paint_crossings(state, width, height)
    assert_fills(rows, width, height)
    assert "ESCROW" in words_on(rows) or width < 16


def test_an_owner_reads_what_keeps_an_entry_out_in_words_of_its_own() -> None:
    state = recorded.at_desk("m", known=recorded.on_chain(recorded.REFUSED))
    told = " ".join(words_on(money.paint_crossings(state, 44, 12)).replace("│", "").split())
    assert "takes nothing from your wallet before its owner has signed limits" in told
    assert "none: l" in told


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("size", [(48, 18), (100, 25), (140, 40)])
def test_a_page_fills_its_place(name: str, size: tuple[int, int]) -> None:
    keys, painters = PAGES[name]
    state = recorded.at_desk(*keys)
    for paint in painters:
        assert_fills(paint(state, *size), *size)


def test_an_offered_prompt_is_hostile_too() -> None:
    known = recorded.answers() | {"/v1/prompts/improve": answered.Improved(NASTY, (NASTY,))}
    state = recorded.at_desk("e", "ctrl+g", "enter", known=known)
    assert_fills(edit.paint_edit(state, 80, 20), 80, 20)


def test_a_key_is_shown_whole() -> None:
    secret = "agon_" + "x" * 60
    made = {"/v1/agents": answered.Registered("a", "Bot", secret)}
    state = recorded.at_desk(
        "n", *"Bot", "down", "down", "right", "ctrl+s", known=recorded.answers() | made
    )
    rows = key.paint_key(state, 40, 20)
    assert_fills(rows, 40, 20)
    shown = "".join(row.plain.strip("│ ") for row in rows)
    assert secret in shown


def test_a_picture_of_another_size_is_left_out() -> None:
    assert [row.plain for row in face(None, 4)] == ["    "] * 2
    assert [row.plain for row in face(Pixels((((0, 0, 0),),)), 4)] == ["    "] * 2
    assert [row.plain for row in face(recorded.picture("a"), 4)] == ["▀▀▀▀"] * 2
