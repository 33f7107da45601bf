from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.agents import spec as specs
from server.agents.limits import DAY_MS, Limits, TooMany
from server.agents.spec import BadSpec, Shelf, VersionSpec
from server.agents.words import BadWords, about_of, prompt_of

SHELF = Shelf(
    spaces={"bid-tac-toe": 20, "rap-battle": 30},
    brains={"llm": (), "bidder": ("bid-tac-toe",)},
    models=("big",),
)


def test_who_tells_nothing_has_the_empty_spec() -> None:
    assert specs.canonical(VersionSpec()) == "{}"
    assert specs.read("{}") == VersionSpec()


def test_specs_that_play_alike_are_one_however_they_are_written() -> None:
    one = VersionSpec(
        prompt=" Play\r\nwell. ",
        prompts={"rap-battle": "Rhyme.", "bid-tac-toe": "Play\nwell."},
        temperature=0.7000001,
        spaces=("rap-battle", "bid-tac-toe", "rap-battle"),
    )
    other = VersionSpec(
        prompts={"rap-battle": "Rhyme.\u202e"},
        prompt="Play\nwell.",
        spaces=("bid-tac-toe", "rap-battle"),
        temperature=0.7,
    )
    assert specs.canonical(specs.tidy(one)) == specs.canonical(specs.tidy(other))
    assert "build" not in specs.canonical(specs.tidy(one)), "what is not said is not written"
    assert specs.canonical(specs.tidy(VersionSpec(build="b2"))) == '{"build":"b2"}'


def test_a_prompt_is_bounded_by_the_space_that_it_is_for() -> None:
    fits_one = VersionSpec(prompt="x" * 25, spaces=("rap-battle",))
    specs.check(fits_one, SHELF)
    with pytest.raises(BadSpec, match=r"prompt for bid-tac-toe has 25 characters; at most 20 fit"):
        specs.check(VersionSpec(prompt="x" * 25), SHELF)
    specs.check(VersionSpec(prompt="x" * 25, prompts={"bid-tac-toe": "short"}), SHELF)
    with pytest.raises(BadSpec, match="prompt for rap-battle has 31"):
        specs.check(VersionSpec(prompts={"rap-battle": "x" * 31}), SHELF)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (VersionSpec(brain="genius"), "no brain 'genius' here; there are llm, bidder"),
        (VersionSpec(model="huge"), "no model 'huge' here; there are big"),
        (VersionSpec(spaces=("chess",)), "no space 'chess' here"),
        (VersionSpec(prompts={"chess": "e4"}), "no space 'chess' here"),
        (
            VersionSpec(brain="bidder", spaces=("rap-battle",)),
            "bidder plays bid-tac-toe, not rap-battle",
        ),
    ],
)
def test_what_the_arena_has_not_is_refused_by_name(spec: VersionSpec, words: str) -> None:
    with pytest.raises(BadSpec, match=words):
        specs.check(spec, SHELF)


def test_a_spec_plays_what_it_lists_or_what_its_brain_can() -> None:
    assert specs.plays(VersionSpec(), SHELF) == ("bid-tac-toe", "rap-battle")
    assert specs.plays(VersionSpec(brain="bidder"), SHELF) == ("bid-tac-toe",)
    assert specs.plays(VersionSpec(spaces=("rap-battle",)), SHELF) == ("rap-battle",)
    assert specs.prompt_for(VersionSpec(prompt="a", prompts={"x": "b"}), "x") == "b"
    assert specs.prompt_for(VersionSpec(prompt="a", prompts={"x": "b"}), "y") == "a"


def test_a_prompt_holds_nothing_that_nobody_can_see() -> None:
    hidden = "be nice\u202e\U000e0041\U000e0042\x1b[2J\u200b\ufeff\u2028now"
    assert prompt_of(hidden, "it") == "be nice[2J\nnow"
    family = "\U0001f469\u200d\U0001f467"
    assert prompt_of(family, "it") == family, "joiners make one sign of two"
    for bad, words in (("a\x00b", "a NUL at character 1"), ("\ud800", "half a surrogate pair")):
        with pytest.raises(BadWords, match=f"the prompt holds {words}"):
            prompt_of(bad, "the prompt")


def test_about_is_one_line() -> None:
    assert about_of(" I\n rhyme\x1b ") == "I rhyme"
    with pytest.raises(BadWords, match="about has 281 characters; at most 280"):
        about_of("x" * 281)


@given(st.text(max_size=200), st.floats(0, 2), st.floats(0, 1, exclude_min=True))
def test_a_tidy_spec_is_tidy_and_survives_storing(text: str, heat: float, top: float) -> None:
    try:
        spec = specs.tidy(
            VersionSpec(prompt=text, prompts={"rap-battle": text[::2]}, temperature=heat, top_p=top)
        )
    except BadWords:
        return
    assert specs.tidy(spec) == spec
    assert specs.read(specs.canonical(spec)) == spec


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="url"):
        msgspec.json.decode(b'{"url": "http://169.254.169.254"}', type=VersionSpec)


def test_an_account_can_only_make_so_much() -> None:
    limits = Limits(agents=2, versions_per_day=3)
    limits.check_agents(1)
    with pytest.raises(TooMany, match="has 2 agents; at most 2 may be active"):
        limits.check_agents(2)
    limits.check_versions(2, 1, 0, 10)
    with pytest.raises(TooMany) as told:
        limits.check_versions(3, 1, 1_000, DAY_MS)
    assert told.value.retry_after_s == 2


def test_a_brain_that_plays_few_spaces_has_them_listed() -> None:
    fitted = specs.fit(VersionSpec(brain="bidder"), SHELF)
    assert fitted.spaces == ("bid-tac-toe",)
    assert specs.fit(fitted, SHELF) == fitted
    assert specs.fit(VersionSpec(), SHELF).spaces == ()


def test_a_stored_spec_says_what_it_leaves_out() -> None:
    stored = specs.canonical(specs.fit(VersionSpec(brain="bidder"), SHELF))
    assert specs.unplayed(stored, "bid-tac-toe") is None
    assert specs.unplayed(stored, "rap-battle") == (
        "by its spec the agent plays bid-tac-toe, not rap-battle"
    )
    assert specs.unplayed("{}", "rap-battle") is None
