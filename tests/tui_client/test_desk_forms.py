"""Filling in forms, and what is made of them: amounts, schedules, specs, limits, troubles at their fields."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_client.director import step
from tui_client.owner import form
from tui_client.owner.agent_form import body_of
from tui_client.owner.amounts import MAX_MICROS, micros_of, money, plain, written
from tui_client.owner.answers import Limits, Spec
from tui_client.owner.automation import AutomationPage, filled_in, limits_of, risk
from tui_client.owner.calls import Problem
from tui_client.owner.diff import diff
from tui_client.owner.edit import EditPage
from tui_client.owner.form import Form, Option
from tui_client.owner.hours import NoSchedule, schedule_of, text_of
from tui_client.owner.troubles import field_of
from tui_client.recording import desk as recorded
from tui_client.state import State
from tui_client.widgets.desk.automation import paint_limits
from tui_client.widgets.desk.edit import paint_edit

COLOURS = (Option("r", "red"), Option("g", "green"), Option("b", "blue"))


def filled(*keys: str, of: Form) -> Form:
    for key in keys:
        of = form.key(of, key, key if len(key) == 1 else None, 20)
    return of


def test_options_are_chosen() -> None:
    both = Form((form.one("one", "one", COLOURS, "g"), form.some("some", "some", COLOURS, ("b",))))
    both = filled("right", "down", "space", "right", "space", "space", of=both)
    assert both["one"].value == "b"
    assert both["some"].chosen == ("r", "b")


def test_a_trouble_goes_when_its_field_is_changed() -> None:
    told = form.with_trouble(Form((form.line("a", "a", "x"), form.line("b", "b"))), "b", "too long")
    assert (told.at, told["b"].trouble) == (1, "too long")
    assert filled("left", of=told)["b"].trouble == "too long"
    assert filled("y", of=told)["b"].trouble == ""


def test_the_keys_of_a_text_leave_it_at_its_ends() -> None:
    both = Form((form.line("a", "a"), form.text("t", "t", "one\ntwo")), 1)
    assert filled("up", "up", of=both).at == 0
    assert filled("down", "enter", of=both)["t"].text == "one\ntwo\n"


def test_pasted_lines_stay_one_line_where_one_fits() -> None:
    both = Form((form.line("a", "a"), form.text("t", "t")))
    assert form.paste(both, "one\n two")["a"].text == "one two"
    assert form.paste(form.replace(both, at=1), "one\n two")["t"].text == "one\n two"


# ---------------------------------------------------------------------- amounts


@given(st.integers(0, MAX_MICROS))
def test_amounts_are_read_as_they_are_written(micros: int) -> None:
    assert micros_of(written(micros)) == micros
    assert micros_of(plain(micros)) == micros


@pytest.mark.parametrize(
    ("text", "micros"),
    [("5", 5_000_000), ("0.5", 500_000), ("1,250.000001", 1_250_000_001), ("0", 0)]
    + [(bad, None) for bad in ("", ".", "-1", "1.0000001", "1e3", "½", "1.2.3", "9999999")],
)
def test_amounts(text: str, micros: int | None) -> None:
    assert micros_of(text) == micros


def test_money_says_its_asset() -> None:
    assert money(12_400_000, "play") == "12.40 play"
    assert money(-1, "usdc") == "-0.000001 USDC"


# ---------------------------------------------------------------------- schedules

windows = st.builds(
    lambda days, opens, closes: {"days": days, "opens": opens, "closes": closes},
    st.sets(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1).map(
        lambda days: sorted(days, key=["mon", "tue", "wed", "thu", "fri", "sat", "sun"].index)
    ),
    st.sampled_from(["00:00", "08:00", "23:59"]),
    st.sampled_from(["10:30", "24:00"]),
)


@given(st.lists(windows, max_size=4))
def test_schedules_are_read_as_they_are_written(found: list[dict[str, Any]]) -> None:
    schedule = {"windows": found}
    assert schedule_of(text_of(schedule)) == schedule


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("fri-mon 8:00-9:00", ["mon", "fri", "sat", "sun"]),
        ("Mon, Wed 08:00 - 20:00", ["mon", "wed"]),
    ],
)
def test_days(text: str, days: list[str]) -> None:
    assert schedule_of(text)["windows"][0]["days"] == days


@pytest.mark.parametrize("text", ["someday", "mon 8-20", "mon 08:00-20:00 tue 08:00-20:00", "mon-"])
def test_what_is_no_schedule_says_what_one_is(text: str) -> None:
    with pytest.raises(NoSchedule, match="mon-fri 08:00-20:00"):
        schedule_of(text)


# ---------------------------------------------------------------------- limits


def test_limits_go_and_come_back() -> None:
    limits = recorded.AUTOMATIONS[recorded.SOLVER].limits
    sent = limits_of(filled_in(limits, recorded.SPACES.spaces))
    assert isinstance(sent, dict)
    assert sent == {
        "tier_micros": 500_000,
        "spaces": ["bid-tac-toe"],
        "max_sessions": 200,
        "max_parallel": 1,
        "stop_loss_micros": 2_000_000,
        "take_profit_micros": None,
        "schedule": limits.schedule,
    }


def test_what_cannot_be_read_is_said_at_its_field() -> None:
    wrong = filled_in(Limits(), recorded.SPACES.spaces)
    for name, text in (("max_sessions", "many"), ("stop_loss_micros", ""), ("schedule", "never")):
        wrong = form.with_field(wrong, form.line(name, name, text))
    told = limits_of(wrong)
    assert isinstance(told, Form)
    troubled = [field.name for field in told.fields if field.trouble]
    assert troubled == ["spaces", "max_sessions", "stop_loss_micros", "schedule"]


def test_no_space_ticked_means_all_in_both_forms() -> None:
    untick = ("down", "space", "right", "right", "space")
    found = recorded.at_desk("p", *untick)
    words = "\n".join(row.plain for row in paint_limits(found, 100, 30))
    assert "none ticked: it queues for all that it plays" in words
    found = step(found, recorded.pressed("ctrl+s"))
    assert found.desk.order is not None
    assert found.desk.order.body["spaces"] == ["rap-battle", "writing"]
    assert isinstance(found.desk.page, AutomationPage)
    assert found.desk.page.form["spaces"].chosen == ("rap-battle", "writing")

    found = recorded.at_desk("e", "down", "down", *untick)
    words = "\n".join(row.plain for row in paint_edit(found, 100, 30))
    assert "none ticked: it plays all that its brain can" in words
    found = step(found, recorded.pressed("ctrl+s"))
    assert found.desk.order is not None
    assert found.desk.order.body["spec"]["spaces"] == []  # the server knows what the brain can


def test_the_risk_is_the_least_of_its_bounds() -> None:
    base = Limits(500_000, ("logic",), 200, 10, 2_000_000)
    found = risk(filled_in(base, recorded.SPACES.spaces))
    assert found is not None
    assert (found.asset, found.at_once_micros, found.in_all_micros) == (
        "usdc",
        2_000_000,
        2_000_000,
    )
    few = risk(filled_in(Limits(0, ("logic",), 3, 2, 9_000_000), recorded.SPACES.spaces))
    assert few is not None
    assert (few.asset, few.at_once_micros, few.in_all_micros) == ("play", 2_000_000, 3_000_000)


def test_limits_are_not_guessed_when_they_cannot_be_read() -> None:
    known = recorded.answers()
    del known[f"/v1/agents/{recorded.SOLVER}/automation"]
    page = recorded.at_desk("down", "p", known=known).desk.page
    assert isinstance(page, AutomationPage)
    assert page.form == Form()


# ---------------------------------------------------------------------- agents


def edited(*keys: str) -> EditPage:
    page = recorded.at_desk("e", *keys).desk.page
    assert isinstance(page, EditPage)
    return page


def test_an_edit_sends_all_of_what_plays() -> None:
    body = body_of(edited("end", "y").sheet)
    assert isinstance(body, dict)
    assert body["name"] == "Frostbitey"
    assert body["spec"] == {
        "brain": "llm",
        "spaces": ["rap-battle", "writing"],
        "prompt": recorded.PROMPT,
        "prompts": {},
        "temperature": 0.9,
    }
    assert edited("end", "y").sheet.changed
    assert not edited("end", "y", "backspace").sheet.changed


def test_a_space_has_a_prompt_of_its_own() -> None:
    page = edited(*["down"] * 4, "right", "down", *"Battle!")
    assert page.form["prompt"].text == "Battle!"
    body = body_of(page.sheet)
    assert isinstance(body, dict)
    assert (body["spec"]["prompt"], body["spec"]["prompts"]) == (
        recorded.PROMPT,
        {"rap-battle": "Battle!"},
    )
    back = edited(*["down"] * 4, "right", "down", *"Battle!", "up", "left")
    assert back.form["prompt"].text == recorded.PROMPT
    assert back.sheet.changed


def test_turning_to_another_prompt_changes_nothing() -> None:
    assert not edited(*["down"] * 4, "right", "right", "right").sheet.changed


def test_the_limit_is_that_of_the_strictest_space_chosen() -> None:
    assert edited().form["prompt"].limit == 2_000
    only_writing = edited("down", "down", "down", "space", "left", "right")
    assert only_writing.form["prompt"].limit == 4_000


@pytest.mark.parametrize("text", ["nan", "inf", "1e3", "0x1", "-1", "1_0", "½"])
def test_a_temperature_is_a_number_as_people_write_them(text: str) -> None:
    body = body_of(edited(*["tab"] * 8, "ctrl+u", *text).sheet)
    assert isinstance(body, Form)
    assert "is no number" in body["temperature"].trouble


def test_the_bot_s_own_build_stays() -> None:
    state = recorded.at_desk("down", "e")
    assert isinstance(state, State)
    page = state.desk.page
    assert isinstance(page, EditPage)
    body = body_of(page.sheet)
    assert isinstance(body, dict)
    assert body["spec"]["build"] == recorded.AGENTS.agents[1].spec.build != Spec().build


@pytest.mark.parametrize(
    ("detail", "code", "field"),
    [
        ("Expected `float` <= 2.0 - at `$.spec.temperature`", "bad-body", "temperature"),
        ("the prompt for logic has 9,000 characters; at most 2,000 fit", "bad-spec", "prompt"),
        ("stop_loss_micros 1 does not cover one entry", "bad-limits", "stop_loss_micros"),
        ("taken", "name-taken", "name"),
        ("the arena is full", "full", None),
    ],
)
def test_words_lead_to_fields(detail: str, code: str, field: str | None) -> None:
    names = ("name", "prompt", "temperature", "stop_loss_micros")
    said = (("the prompt", "prompt"),)
    assert field_of(Problem(422, code, detail), names, {"name-taken": "name"}, said) == field


def test_a_diff_tells_what_goes_and_what_comes() -> None:
    changes = diff("Rhyme. Be short.", "Rhyme. Be very short.\nNo slurs.")
    assert [f"{sign}{text}" for sign, text in changes] == [
        " Rhyme.",
        "-Be short.",
        "+Be very short.",
        "+No slurs.",
    ]
