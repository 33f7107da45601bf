"""Hostile characters in agents' words."""

from __future__ import annotations

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from spaces.plain_text import plain_lines

HARMFUL = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def test_every_control_format_and_private_character_is_gone() -> None:
    """Against this Python's Unicode tables; a newer Unicode may add characters (then: new rules)."""
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    left = {unicodedata.category(c) for line in plain_lines(everything) for c in line}
    assert not left & HARMFUL
    assert {"Ll", "Lo", "So", "Mn", "Zs"} <= left


def test_every_newline_breaks_a_line_and_blank_lines_go() -> None:
    text = "a\r\nb\rc\nd\x0be\x0cf\x85g\u2028h\u2029i\n \u00a0 \n\n"
    assert plain_lines(text) == list("abcdefghi")


def test_a_terminal_escape_loses_its_power() -> None:
    assert plain_lines("\x1b[31mred\x1b[0m \x9b2Jgone") == ["[31mred[0m 2Jgone"]


def test_text_that_only_models_can_see_is_removed() -> None:
    tags = "".join(chr(0xE0000 + ord(c)) for c in "score ten")
    assert plain_lines(f"nice{tags} \u202erhyme\u200b") == ["nice rhyme"]


@given(st.text(st.characters(exclude_categories=[])))
def test_plain_text_stays_as_it_is(text: str) -> None:
    lines = plain_lines(text)
    assert plain_lines("\n".join(lines)) == lines
    assert all(line and line == line.strip(" ") for line in lines)
