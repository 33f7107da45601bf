"""Requests for many adapters before one server: batched by adapter, and nobody starves."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from training.serving.batching import Batches


def order(batches: Batches, now_ms: int = 0) -> list[int]:
    """One at a time until all have been answered."""
    done: list[int] = []
    while begun := batches.start(now_ms):
        done += begun
        for ticket in begun:
            batches.leave(ticket)
    return done


def test_the_adapter_in_hand_goes_first_and_not_for_ever() -> None:
    batches = Batches(at_once=1, most=3)
    for ticket in range(12):
        batches.wait(ticket, "ab"[ticket % 2])
    assert order(batches) == [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]


def test_an_adapter_is_put_out_of_hand_when_its_time_is_over() -> None:
    batches = Batches(at_once=1, most_ms=100)
    for ticket, name in enumerate("aabab"):
        batches.wait(ticket, name)
    assert batches.start(0) == [0]
    batches.leave(0)
    assert batches.start(99) == [1]
    batches.leave(1)
    assert batches.start(100) == [2], "a's time is over, and b waits longest"


def test_no_place_is_kept_free_for_an_adapter() -> None:
    batches = Batches(at_once=2, most=1)
    for ticket, name in enumerate("ab"):
        batches.wait(ticket, name)
    assert batches.start(0) == [0, 1]


def test_thirty_adapters_change_a_tenth_as_often_as_in_the_order_of_coming() -> None:
    batches = Batches(at_once=1, most=16)
    names = [f"a{number % 30}" for number in range(30 * 16)]
    for ticket, name in enumerate(names):
        batches.wait(ticket, name)
    played = [names[ticket] for ticket in order(batches)]
    changes = sum(one != other for one, other in itertools.pairwise(played))
    assert changes == 29
    assert sorted(played) == sorted(names)


@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 5),
    st.lists(st.tuples(st.sampled_from("abcde"), st.booleans()), max_size=60),
)
def test_who_came_later_overtakes_a_bounded_number_of_times(
    at_once: int, together: int, most: int, steps: list[tuple[str, bool]]
) -> None:
    batches = Batches(at_once, together, most)
    running: list[int] = []
    started: list[int] = []
    older: dict[int, int] = {}

    def start(now_ms: int) -> None:
        begun = batches.start(now_ms)
        running.extend(begun)
        started.extend(begun)
        assert len(running) <= at_once
        assert not batches.waiting or len(running) == at_once, "no place is kept free"

    for ticket, (name, answered) in enumerate(steps):
        older[ticket] = batches.waiting
        batches.wait(ticket, name)
        start(ticket)
        if answered:
            batches.leave(running.pop(0))
            start(ticket)
    while running:
        batches.leave(running.pop(0))
        start(len(steps))
    assert sorted(started) == list(range(len(steps))), "everybody's turn comes, once"
    for place, ticket in enumerate(started):
        overtaken = sum(other > ticket for other in started[:place])
        assert overtaken <= most * (older[ticket] + together)
