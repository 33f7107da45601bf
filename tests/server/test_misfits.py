"""What does not fit is told by its field and in words, whatever msgspec calls it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.api.editing import AgentEdit
from server.api.misfits import misfit
from server.api.signin import SignIn
from server.automation import Limits


def told(body: Any, type_: Any) -> tuple[str, str]:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(msgspec.json.encode(body), type=type_)
    wrong = misfit(str(caught.value), type_, body)
    return wrong.field, str(wrong)


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"name": ""}, "name", 'name: expected text of at least 1 character, got ""'),
        ({"name": 3}, "name", "name: expected text, got 3"),
        ({"kind": "foo"}, "kind", 'kind: expected `hosted` or `remote`, got "foo"'),
        ({"foo": 1}, "foo", "foo: is not known here"),
        (
            {"spec": {"temperature": 5}},
            "spec.temperature",
            "temperature: expected a number, 2 or less, got 5",
        ),
        (
            {"spec": {"max_tokens": "many"}},
            "spec.max_tokens",
            'max_tokens: expected a whole number, got "many"',
        ),
        (
            {"spec": {"spaces": ["logic", "A A"]}},
            "spec.spaces[1]",
            "spaces: holds characters that are not allowed here, or is not of the form it has to be, "
            'got "A A"',
        ),
        (
            {"spec": {"prompts": {"A A": "x"}}},
            "spec.prompts",
            "prompts: a name in it holds characters that are not allowed here, or is not of the form it has to be",
        ),
        ({"spec": {"prompts": {"logic": 3}}}, "spec.prompts[...]", "prompts: expected text"),
        ([], "", "expected an object"),
    ],
)
def test_edits_that_do_not_fit(body: Any, field: str, words: str) -> None:
    assert told(body, AgentEdit) == (field, words)


def test_what_is_missing_and_what_is_empty_is_named() -> None:
    assert told({}, Limits) == ("tier_micros", "tier_micros: is missing")
    limits = {"tier_micros": 0, "spaces": []}
    assert told(limits, Limits) == ("spaces", "spaces: expected a list of at least 1 item")


def test_long_values_and_secrets_are_not_repeated() -> None:
    assert told({"kind": "x" * 99}, AgentEdit)[1] == "kind: expected `hosted` or `remote`"
    signed = {"message": "x", "signature": "0x00"}
    assert told(signed | {"owner_key": 12345}, SignIn)[1] == "owner_key: expected text"
    assert "0x0g" not in told(signed | {"signature": "0x0g"}, SignIn)[1]
    assert "12345" in told(signed | {"message": 12345}, SignIn)[1], "it is no secret"


@given(st.text())
def test_any_message_becomes_words(message: str) -> None:
    assert misfit(message, AgentEdit).words is not None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["name", "kind", "spec", "spaces", "x"]), inner)
        ),
        max_leaves=8,
    )
)
def test_no_path_of_msgspec_reaches_anybody(body: Any) -> None:
    try:
        msgspec.json.decode(msgspec.json.encode(body), type=AgentEdit)
    except msgspec.ValidationError as error:
        words = str(misfit(str(error), AgentEdit, body))
        said = words.partition(", got ")[0]
        assert not any(jargon in said for jargon in ("$", "`str", "`int", "object`", "enum"))
