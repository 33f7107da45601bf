"""Times as operators read them."""

from __future__ import annotations

import pytest

from server.commands.telling import age, ago, table

NOW = 1_000_000_000


@pytest.mark.parametrize(
    ("since_ms", "told", "in_a_sentence"),
    [
        (NOW, "now", "now"),
        (NOW + 5_000, "now", "now"),
        (NOW - 61_000, "1 m 1 s", "1 m 1 s ago"),
        (NOW - 90_061_000, "1 d 1 h", "1 d 1 h ago"),
    ],
)
def test_how_long_ago(since_ms: int, told: str, in_a_sentence: str) -> None:
    assert age(since_ms, NOW) == told
    assert ago(since_ms, NOW) == in_a_sentence


def test_a_table_says_what_anybody_wrote_without_moving_the_cursor(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table(("session", "space"), [("S1", "rap\x1b[31m\x1b]0;owned\x07\u202e")], nothing="none")
    said = capsys.readouterr().out
    assert "S1" in said
    assert not any(mark in said for mark in "\x1b\x07\u202e")
