"""Lines about one trouble that lasts."""

from __future__ import annotations

from bots.journal import Sparing


def test_the_first_line_is_said_then_one_every_ten_seconds() -> None:
    now, said = [0.0], list[str]()
    say = Sparing(said.append, lambda: now[0])
    for second in range(0, 25, 2):
        now[0] = second
        say(f"at {second}")
    assert said == ["at 0", "at 10", "at 20"]
    say.over()
    say("anew")
    assert said[-1] == "anew"
