"""Batches are drawn by the seed alone."""

from __future__ import annotations

from collections import Counter

import pytest

from training.recipes.config import TrainConfig
from training.recipes.draws import Draws, micro_batch


def test_every_example_is_seen_once_before_any_is_seen_again() -> None:
    drawn = list(Draws(7, TrainConfig(steps=10, batch=4)))
    assert len(drawn) == 40
    for begin in range(0, 35, 7):
        assert sorted(drawn[begin : begin + 7]) == list(range(7))
    assert max(Counter(drawn).values()) - min(Counter(drawn).values()) <= 1


def test_a_longer_run_begins_as_a_shorter_one() -> None:
    short = list(Draws(9, TrainConfig(steps=5, batch=4)))
    assert list(Draws(9, TrainConfig(steps=50, batch=4)))[:20] == short
    assert list(Draws(9, TrainConfig(steps=5, batch=4, seed=1))) != short


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(ValueError, match="nothing to learn from"):
        Draws(0, TrainConfig())


@pytest.mark.parametrize(
    ("batch", "most", "processes", "micro"),
    [(8, 8, 1, 8), (8, 3, 1, 2), (4, 8, 1, 4), (7, 4, 1, 1), (8, 8, 2, 4), (12, 4, 2, 3)],
)
def test_a_micro_batch_divides_the_batch(batch: int, most: int, processes: int, micro: int) -> None:
    assert micro_batch(TrainConfig(batch=batch, micro_batch=most), processes) == micro


def test_a_batch_that_processes_cannot_share_is_refused() -> None:
    with pytest.raises(ValueError, match="evenly among 3"):
        micro_batch(TrainConfig(batch=8), 3)
