"""Tasks are taken in the order of their numbers, without a hole, whatever is told in between."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chain.operator.intake import News, Told, goes_on, news
from chain.operator.journal import Task


def told(*numbers: int) -> list[Told]:
    return [Told(number, Task(f"cid {number}", 1, "x", "s")) for number in numbers]


def taken(found: News) -> list[str]:
    return [task.cid for task in found.fresh]


def test_what_goes_on_is_taken_and_what_is_known_passed_over() -> None:
    found = news(told(3, 4, 5), 4)
    assert (taken(found), found.after, found.missing) == (["cid 5"], 5, False)
    assert news(told(3, 4), 4) == News((), 4)
    assert news([], 4) == News((), 4)


def test_a_hole_is_asked_for() -> None:
    assert news(told(7, 8), 4) == News((), 4, missing=True)
    found = news(told(5, 7), 4)
    assert (taken(found), found.after, found.missing) == (["cid 5"], 5, True)


def test_an_arena_that_was_set_back_to_a_backup_is_noticed() -> None:
    assert goes_on(told(4, 5), 4, "cid 4")
    assert goes_on([], 0, "")
    assert not goes_on([], 4, "cid 4")  # it has not come so far
    assert not goes_on(told(4, 5), 4, "another")  # it has, and gave the number to another block


@given(st.integers(0, 20), st.lists(st.integers(1, 30), unique=True).map(sorted))
def test_all_up_to_after_is_known(after: int, numbers: list[int]) -> None:
    found = news(told(*numbers), after)
    known = set(range(1, after + 1)) | {int(each.removeprefix("cid ")) for each in taken(found)}
    assert known == set(range(1, found.after + 1))
    assert found.missing == any(number > found.after for number in numbers)
