"""Whatever an agent writes, what is painted is plain characters of known width."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size

from tui_client.text import MAX_MARKS, clean, clean_lines, fit, wrap

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A loaded machine is slow, which is no failure."""

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x9b2J",
    "a\rb",
    "over\u202eride",
    "\u2066isolate\u2069",
    "zero\u200bwidth\u200d\ufeff",
    "Z\u0300\u0301\u0302\u0303\u0304\u0305a\u0489\u20e0l\u0335\u0336\u0337go",
    "👩\u200d👩\u200d👧 flag 🇩🇪 thumb 👍🏽 heart \u2764\ufe0f",
    "[bold red]markup[/]",
    "\udcff lone surrogate",
    "tag \U000e0041\U000e0042",
    "\u1160\u3164blank",
]
texts = st.one_of(
    st.text(max_size=80), st.sampled_from(HOSTILE), st.text("[]/\x1b\u202e\u0301a ", max_size=40)
)


def assert_plain(line: str) -> None:
    assert "\x1b" not in line
    assert not any(
        unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in line
    )
    assert cell_len(line) == sum(get_character_cell_size(c) for c in line)
    run = 0
    for character in line:
        run = run + 1 if get_character_cell_size(character) == 0 else 0
        assert run <= MAX_MARKS


@unhurried
@given(texts)
def test_a_cleaned_text_is_one_plain_line(text: str) -> None:
    line = clean(text)
    assert_plain(line)
    assert line == clean(line)


@unhurried
@given(texts, st.integers(1, 60))
def test_a_cleaned_text_keeps_its_limit(text: str, limit: int) -> None:
    assert len(clean(text, limit)) <= limit


@unhurried
@given(st.lists(texts, max_size=6).map("\n".join), st.integers(4, 50))
def test_wrapped_lines_fit_and_lose_nothing_but_blanks(text: str, width: int) -> None:
    for line in clean_lines(text):
        rows = wrap(line, width)
        for row in rows:
            assert_plain(row)
            assert cell_len(row) <= width
        assert "".join(rows).replace(" ", "") == line.replace(" ", "")


@unhurried
@given(texts, st.integers(0, 20))
def test_fit_never_exceeds_the_width(text: str, width: int) -> None:
    assert cell_len(fit(clean(text), width)) <= width


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("over\u202eride", "override"),
        ("a\tb\nc", "a b c"),
        ("🇩🇪", "DE"),
        ("[bold]not markup[/bold]", "[bold]not markup[/bold]"),
        ("Nguyễn Ünïcode 你好", "Nguyễn Ünïcode 你好"),
    ],
)
def test_what_is_kept(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_a_long_text_says_that_it_was_cut() -> None:
    assert clean("word " * 100, 20).endswith("…")
