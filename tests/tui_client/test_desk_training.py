"""The training page as a fold: what its keys order, which gate and training it shows, and the tree of versions."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import server.api.gates as gates_api
import server.api.training as training_api
from server import protocol
from server.training import eligibility
from tests.tui_client.painted import words_on
from training.documents import data as documents
from tui_client.director import step
from tui_client.owner import arena, learning
from tui_client.owner.careers import Version
from tui_client.owner.learning import Change, GateSummary, Job, Lineage
from tui_client.owner.lineages import Node, back, number_of, tree
from tui_client.owner.spans import seconds_of, span
from tui_client.owner.training import TrainingPage
from tui_client.owner.training_shown import (
    gate_id,
    live_sessions,
    question,
    shown_job,
)
from tui_client.recording import desk as recorded
from tui_client.recording import learning as learnt
from tui_client.recording.career import FROSTBITE
from tui_client.recording.cast import RAP
from tui_client.state import State, Tick
from tui_client.widgets.desk.training_gate import paint_gate
from tui_client.widgets.desk.training_job import paint_job, reached
from tui_client.widgets.desk.training_versions import paint_versions

replace = msgspec.structs.replace


def page_of(state: State) -> TrainingPage:
    page = state.desk.page
    assert isinstance(page, TrainingPage)
    return page


def at_training(*keys: str, testing: bool = True, known: dict[str, Any] | None = None) -> State:
    return recorded.at_desk("t", *keys, known=recorded.learnt(testing=testing) | (known or {}))


def ordered(state: State, *keys: str) -> tuple[str, str, Any]:
    """What a key orders, before anything is answered."""
    for key in keys:
        state = step(state, recorded.pressed(key))
    assert state.desk.order is not None
    return state.desk.order.method, state.desk.order.path, state.desk.order.body


# ---------------------------------------------------------------------- spans


@given(st.integers(1, 100 * 86_400))
def test_a_span_loses_less_than_its_second_unit(seconds: int) -> None:
    read = seconds_of(span(seconds))
    assert read is not None
    assert 0 <= seconds - read < 3_600
    assert span(read) == span(seconds)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1h30m", 5_400), (" 90 M", 5_400), ("2d", 172_800), ("1h5s", 3_605)]
)
def test_spans_are_read_as_people_write_them(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "h", "1.5h", "-1h", "30m1h", "٣h"])
def test_what_is_no_span_is_not_guessed(text: str) -> None:
    assert seconds_of(text) is None


# ---------------------------------------------------------------------- the tree


def versions(*made_ms: int) -> list[Version]:
    return [Version(f"a@v{at}", at, ms) for at, ms in enumerate(made_ms, 1)]


def test_what_was_promoted_grows_on_and_what_was_not_is_a_branch() -> None:
    lines = (Change("promoted", "a@v3", "a@v1", "g3", 30),)
    gates = (
        GateSummary("g4", "logic", "running", "a@v4", "a@v3"),
        GateSummary("g3", "logic", "ended", "a@v3", "a@v1", "promote"),
        GateSummary("g2", "logic", "ended", "a@v2", "a@v1", "keep"),
    )
    assert tree(versions(1, 10, 20, 40), Lineage("a@v3", lines, gates)) == (
        Node(4, "tested", 3, "g4", trunk=False),
        Node(3, "promoted", 1, "g3", plays=True),
        Node(2, "kept", 1, "g2", trunk=False),
        Node(1),
    )


def test_an_edit_after_a_promotion_comes_of_what_was_promoted() -> None:
    lines = (Change("promoted", "a@v2", "a@v1", "g2", 20),)
    gates = (GateSummary("g2", "logic", "ended", "a@v2", "a@v1", "promote"),)
    found = tree(versions(1, 10, 30), Lineage("a@v3", lines, gates))
    assert [(node.number, node.parent, node.trunk) for node in found] == [
        (3, 2, True),
        (2, 1, True),
        (1, None, True),
    ]


def test_what_was_rolled_back_is_a_branch_and_an_edit_after_that_comes_of_the_parent() -> None:
    lines = (
        Change("promoted", "a@v2", "a@v1", "g2", 20),
        Change("rolled-back", "a@v1", "a@v2", None, 30),
    )
    lineage = Lineage("a@v1", lines)
    assert tree(versions(1, 10), lineage) == (
        Node(2, "rolled-back", 1, trunk=False),
        Node(1, plays=True),
    )
    assert back(lineage) is None
    edited = tree(versions(1, 10, 40), replace(lineage, version="a@v3"))
    assert (edited[0].parent, edited[0].plays) == (1, True)


def test_the_way_back_is_the_parent_of_what_plays() -> None:
    lines = (
        Change("promoted", "a@v2", "a@v1", "g2", 20),
        Change("promoted", "a@v3", "a@v2", "g3", 40),
    )
    assert back(Lineage("a@v3", lines)) == 2
    assert back(Lineage("a@v2", lines)) == 1
    assert back(Lineage("a@v4", lines)) is None


names = st.sampled_from(["", "a", "a@v", "a@v1", "a@v2", "a@v3", "b@v9", "a@v-1", "a@v99999999999"])
changes = st.builds(Change, st.sampled_from(["promoted", "rolled-back", "?"]), names, names, st.none(), st.integers(0, 60))  # fmt: skip
gates = st.builds(GateSummary, names, names, st.sampled_from(["running", "ended"]), names, names)


@given(
    st.lists(st.integers(0, 60), max_size=4),
    st.builds(Lineage, names, st.lists(changes, max_size=5).map(tuple), st.lists(gates, max_size=4).map(tuple)),
)  # fmt: skip
def test_any_lineage_is_a_tree(made: list[int], lineage: Lineage) -> None:
    found = tree(versions(*made), lineage)
    assert [node.number for node in found] == list(range(len(made), 0, -1))
    assert all(node.parent is None or node.parent < node.number for node in found)
    assert sum(node.plays for node in found) == (number_of(lineage.version) in range(1, len(made) + 1))  # fmt: skip


# ---------------------------------------------------------------------- the page


def test_where_something_runs_is_shown_first() -> None:
    state = at_training()
    known, page = state.desk.known(state.now_ms), page_of(state)
    job = shown_job(page, known)
    assert job is not None
    assert (job.state, gate_id(page, known)) == ("gating", learnt.RUNNING)
    assert live_sessions(page, known) == ["01KPLAYED00000000000000777", RAP]


def test_a_version_and_a_past_training_show_their_own_gate() -> None:
    state = at_training("tab", "up")
    assert gate_id(page_of(state), state.desk.known(0)) == learnt.KEPT
    state = at_training("tab", "tab", "down", "down")
    known = state.desk.known(0)
    assert gate_id(page_of(state), known) == learnt.PROMOTED
    job = shown_job(page_of(state), known)
    assert job is not None
    assert job.promoted == f"{FROSTBITE}@v3"


def test_until_a_training_has_a_gate_the_last_one_is_shown() -> None:
    state = at_training(testing=False)
    assert "LAST GATE  v4 against v3" in words_on(paint_gate(state, 60, 14))


def test_a_gate_that_has_ended_is_read_once() -> None:
    state = at_training("tab")
    later = state.now_ms + 60_000
    asked = {read.path: read.every_ms for read in page_of(state).reads(state.desk.known(later))}
    assert asked[arena.gate(learnt.PROMOTED).path] == 0
    assert asked[arena.gate(learnt.RUNNING).path] == 2_000


def test_rolling_back_is_asked_with_what_will_play_then() -> None:
    state = at_training("r")
    told = question(page_of(state), state.desk.known(state.now_ms))
    assert told == (
        "r again: Frostbite plays as v2 again, at 25.6 ±1.1 in rap battle;"
        " v3 plays no more and stays in the lineage"
    )
    assert " ".join(told.split()[:6]) in words_on(paint_job(state, 100, 20))
    method, path, body = ordered(state, "r")
    assert (method, path) == ("POST", f"/v1/agents/{FROSTBITE}/rollback")
    assert body == {"version": f"{FROSTBITE}@v3"}


def test_another_key_between_takes_the_question_back() -> None:
    for other in ("down", "tab", "escape", "1", "c"):
        state = at_training("r", other)
        if isinstance(state.desk.page, TrainingPage):
            assert not page_of(state).asking, other
    assert page_of(at_training("x", "r")).asking == "r"


def test_nothing_is_rolled_back_that_the_question_was_not_about() -> None:
    """Another version was promoted between the two keys."""
    state = at_training("r")
    newer = replace(
        learnt.lineage(),
        version=learnt.version(5),
        lines=(*learnt.lineage().lines, Change("promoted", learnt.version(5), learnt.version(3), learnt.RUNNING)),
    )  # fmt: skip
    state = step(state, Tick(state.now_ms + 10_000))
    state = recorded.served(
        state, recorded.learnt(testing=True) | {arena.lineage(FROSTBITE).path: newer}
    )
    state = step(state, recorded.pressed("r"))
    assert state.desk.order is None
    assert "plays as v3 again" in question(page_of(state), state.desk.known(state.now_ms))


def test_what_was_promoted_by_no_gate_has_no_way_back() -> None:
    known = {arena.lineage(FROSTBITE).path: Lineage(learnt.version(3))}
    state = at_training("r", known=known)
    assert state.desk.notice is not None
    assert "no way back but an edit" in state.desk.notice.words
    assert not page_of(state).asking


def test_cancelling_is_asked_twice_and_consent_once() -> None:
    assert ordered(at_training("x"), "x")[1:] == (f"/v1/agents/{FROSTBITE}/training/cancel", {"space": "rap-battle"})  # fmt: skip
    assert ordered(at_training(), "o")[2] == {"space": "rap-battle", "on": False}
    assert ordered(at_training("down"), "s")[1:] == (f"/v1/agents/{FROSTBITE}/training/start", {"space": "writing"})  # fmt: skip


def test_a_budget_that_cannot_be_read_is_said_at_its_field() -> None:
    state = at_training("b", *["backspace"] * 4, *"90", "enter")
    trouble = page_of(state).form["budget_s"].trouble
    assert "write 1m to 7d, e.g. 1h30m" in trouble
    assert state.desk.order is None
    assert ordered(state, "m", "enter")[2] == {"space": "rap-battle", "budget_s": 5_400}


def test_versions_are_compared_with_what_they_came_of() -> None:
    state = recorded.at_desk("t", "tab", "c", known=recorded.learnt())
    page: Any = state.desk.page
    assert (page.a, page.b, page.space) == (f"{FROSTBITE}@v3", f"{FROSTBITE}@v2", "rap-battle")


def test_the_tree_has_ratings_win_rates_and_gates() -> None:
    words = words_on(paint_versions(at_training("tab"), 60, 16))
    for row in (
        "├╴… v5  in the gate 57% (46-69) against v3",
        "├╴○ v4  not promoted 47% (40-55) against v3",
        "▸◉ v3  27.3 ±0.9  60% (46-72)",
        "│ promoted 60% (52-69) against v2",
        "● v1  23.9 ±2.7  33% (12-65)",
    ):
        assert row in words


@pytest.mark.parametrize(
    ("job", "done"),
    [
        (Job("j", state="queued"), 0),
        (Job("j", state="collecting"), 0),
        (Job("j", state="packaging"), 2),
        (Job("j", state="promoted"), 4),
        (Job("j", state="failed"), 0),
        (Job("j", state="failed", step=3, steps=9), 1),
        (Job("j", state="failed", step=9, steps=9), 2),
        (Job("j", state="cancelled", step=9, steps=9, gate="g"), 3),
    ],
)
def test_how_far_a_training_came(job: Job, done: int) -> None:
    assert reached(job) == done


def test_ids_are_cleaned_before_they_are_copied() -> None:
    job = replace(learnt.GATED, adapter="bafk\x1b[2J\nrm -rf\u202e")
    known = {arena.training(FROSTBITE).path: learnt.training(job)}
    state = at_training(known=known)
    copies = page_of(state).copies(state.desk.known(0))
    assert [each.what for each in copies] == ["data card", "proof", "adapter"]
    assert copies[2].text.isprintable()


def test_what_was_learnt_from_is_counted_as_the_room_allows() -> None:
    state = at_training()
    words = words_on(paint_job(state, 120, 20))
    whole = "learnt from 64 sessions, 302 examples, 384 turns, 61,240 tokens; 8 sessions held out"
    assert whole in words
    assert "learnt from 64 sessions, 302 examples " in words_on(paint_job(state, 48, 20))
    assert "asked for at 41 scored sessions" in words_on(paint_job(at_training(testing=False), 48, 20))  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (learning.Training, training_api.TrainingDetail),
        (learning.Learning, training_api.SpaceTraining),
        (learning.Job, training_api.TrainingJob),
        (learning.Consent, eligibility.Consent),
        (learning.Eligibility, eligibility.Eligibility),
        (learning.Gate, gates_api.GateDetail),
        (learning.GateCard, protocol.GateCard),
        (learning.GateMatch, gates_api.GateMatchCard),
        (learning.FirstAnswers, gates_api.AnswersCard),
        (learning.Lineage, gates_api.Lineage),
        (learning.Change, gates_api.LineageLine),
        (learning.GateSummary, gates_api.GateSummary),
        (learning.DataCard, documents.DataCard),
    ],
    ids=lambda type_: type_.__name__,
)
def test_what_the_screen_reads_is_what_the_arena_tells(ours: Any, theirs: Any) -> None:
    assert set(ours.__struct_fields__) <= set(theirs.__struct_fields__)
