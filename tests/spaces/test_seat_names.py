"""What seats are called where people read, and returns with their units."""

from __future__ import annotations

import pytest

from spaces import registry
from spaces.seat_names import NAME_CHARS, listed, seat_name


@pytest.mark.parametrize(
    ("names", "called"),
    [
        ((), "seat 1"),
        (("Ann",), "seat 1"),
        (("Ann", "Bob"), "Bob"),
        (("Ann", "\x1b[2J\u202eBob\n the  second"), "[2JBob the  second"),
        (("Ann", "\u200b"), "seat 1"),
        (("Ann", "B" * 40), "B" * (NAME_CHARS - 1) + "…"),
    ],
)
def test_a_seat_has_its_agent_s_name_or_a_number(names: tuple[str, ...], called: str) -> None:
    assert seat_name(names, 1) == called


def test_names_are_listed_as_people_do() -> None:
    assert [listed(("Ann", "Bob", "Cid")[:n]) for n in (1, 2, 3)] == [
        "Ann", "Ann and Bob", "Ann, Bob and Cid",
    ]  # fmt: skip


def test_the_word_for_a_seat_is_the_game_s() -> None:
    assert seat_name((), 0, "player") == "player 0"


@pytest.mark.parametrize(
    ("space", "value", "said"),
    [
        ("bid-tac-toe", 1, "+1"),
        ("bid-tac-toe", 0, "0"),
        ("trade-wars", 123_456, "+1,234.56"),
        ("trade-wars", -2_000, "-20.00"),
        ("trade-wars", 0, "0.00"),
        ("prediction", -1_234_567, "-1.235"),
        ("logic", 3_000 * 10_000_000 - 41_249, "3 solved, 41.2 s"),
        ("logic", -300_000, "0 solved, 300.0 s"),
    ],
)
def test_returns_are_told_with_their_unit(space: str, value: int, said: str) -> None:
    assert registry.get(space).return_in_words(value) == said
