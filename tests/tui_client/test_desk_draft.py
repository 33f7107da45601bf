"""Writing a text by keyboard: it holds what was typed, whatever that was, and its rows hold all of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_client.owner.draft import Draft, pressed, row_of, rows, typed, written
from tui_client.text import glyphs

texts = st.text(st.characters(codec="utf-8") | st.sampled_from(" \n\tab日\u0301"), max_size=80)
keys = st.sampled_from(
    ["left", "right", "up", "down", "home", "end", "backspace", "delete", "ctrl+w", "ctrl+u", "ctrl+k", "ctrl+left", "ctrl+right", "ctrl+home", "ctrl+end", "pageup", "pagedown", "f3", "x"]
)  # fmt: skip


def after(draft: Draft, *pressed_keys: str, width: int = 20) -> Draft:
    for key in pressed_keys:
        draft = pressed(draft, key, width) or draft
    return draft


@given(texts, st.lists(keys, max_size=30), st.integers(2, 30))
def test_the_cursor_stays_in_the_text(text: str, chosen: list[str], width: int) -> None:
    draft = typed(Draft(), text)
    for key in chosen:
        draft = pressed(draft, key, width) or draft
        assert 0 <= draft.at <= len(draft.text)


@given(texts, st.integers(2, 30))
def test_rows_hold_every_character_once(text: str, width: int) -> None:
    laid = rows(text, width)
    at = 0
    for row in laid:
        assert row.start in (at, at + 1)  # a line break stands between rows, in none
        assert row.start == at or text[at] == "\n"
        shown = glyphs(text[row.start : row.end])
        assert cell_len(shown.rstrip()) <= width
        at = row.end
    assert at == len(text)
    assert all(laid[row_of(laid, n)].start <= n for n in range(len(text) + 1))


@given(texts)
def test_what_is_painted_moves_no_cursor(text: str) -> None:
    shown = glyphs(text.replace("\n", ""))
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in shown)
    assert "\u202e" not in shown


def test_typing_goes_where_the_cursor_is() -> None:
    draft = after(written("ac"), "left")
    assert typed(draft, "b") == Draft("abc", 2)
    assert typed(Draft(), "a\r\nb\tc").text == "a\nb    c"


@pytest.mark.parametrize(
    ("key", "text", "at"),
    [
        ("backspace", "one tw", 6),
        ("ctrl+w", "one ", 4),
        ("ctrl+u", "", 0),
        ("home", "one two", 0),
        ("ctrl+left", "one two", 4),
    ],
)
def test_keys_of_an_editor(key: str, text: str, at: int) -> None:
    assert after(written("one two"), key) == Draft(text, at)


def test_a_mark_goes_with_its_letter() -> None:
    draft = written("ae\u0301")
    assert after(draft, "left").at == 1
    assert after(draft, "backspace").text == "a"


def test_up_and_down_keep_the_column() -> None:
    draft = Draft("first row\nx\nthird row", 5)
    down = after(draft, "down")
    assert down.text[: down.at] == "first row\nx"
    assert after(draft, "down", "up").at == 1
    assert pressed(draft, "up", 20) is None
    wrapped = Draft("aaa bbb ccc", 1)
    assert after(wrapped, "down", width=4).at == 5
    assert after(wrapped, "down", "down", "down", width=4).at == 9


def test_one_line_knows_no_rows() -> None:
    assert pressed(written("one"), "up", 0) is None
    assert pressed(written("one"), "ctrl+home", 0) is None
