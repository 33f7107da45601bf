"""Which steps are made again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.proof import choose
from training.proof.choose import BadSteps, Stretch


def test_by_default_the_first_the_first_checkpoints_and_one_drawn_by_the_card() -> None:
    drawn = {choose.by_default(f"bafkrei{n}", 100, [25, 50, 75, 100]) for n in range(40)}
    assert all({1, 25} <= set(each) and len(each) <= 3 for each in drawn)
    assert len(drawn) > 20, "another card, another step"
    assert choose.by_default("bafkrei", 1, []) == (1,)


def test_steps_by_name() -> None:
    assert choose.named("1,25, 30-32", 40) == (1, 25, 30, 31, 32)
    assert choose.named("all", 3) == (1, 2, 3)


@pytest.mark.parametrize("text", ["", "0", "41", "3-2", "1,,2", "-1", "two", "1-2-3", "9" * 400])
def test_what_names_no_step_is_refused(text: str) -> None:
    with pytest.raises(BadSteps):
        choose.named(text, 40)


def test_stretches_go_on_from_the_nearest_checkpoint() -> None:
    found = choose.stretches((1, 25, 26, 60), (25, 50))
    assert found == [Stretch(0, 25), Stretch(25, 26), Stretch(50, 60)]


@given(
    st.sets(st.integers(1, 60), min_size=1),
    st.sets(st.integers(1, 60)),
    st.sets(st.integers(1, 60)),
)
def test_stretches_lead_to_every_step_and_fewer_checkpoints_only_cost_more(
    steps: set[int], some: set[int], more: set[int]
) -> None:
    def work(checkpoints: set[int]) -> int:
        found = choose.stretches(steps, checkpoints)
        assert steps <= {step for each in found for step in each.steps}
        assert all(each.after in checkpoints | {0} for each in found)
        return sum(len(each.steps) for each in found)

    assert work(some | more) <= work(some)


def test_steps_in_words() -> None:
    assert choose.in_words([3, 1, 2, 9]) == "1-3, 9"
    assert choose.in_words([]) == ""
