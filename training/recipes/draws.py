"""Which examples an update sees: drawn by the seed alone, so that step k of a run can be made again without the steps before it. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator

from training.recipes.config import TrainConfig
from training.recipes.refused import CannotTrain


class Draws:
    """Places of examples for a whole run, in the order in which updates take them; `batch` of them each.

    All examples are seen once, in an order of their own, before any is seen again.
    """

    def __init__(self, examples: int, config: TrainConfig) -> None:
        if examples < 1:
            raise CannotTrain("there is nothing to learn from: no example is left")
        self._examples = examples
        self._seed = config.seed
        self._drawn = config.steps * config.batch

    def __len__(self) -> int:
        return self._drawn

    def __iter__(self) -> Iterator[int]:
        for begin in range(0, self._drawn, self._examples):
            yield from self.round(begin // self._examples)[: self._drawn - begin]

    def round(self, number: int) -> list[int]:
        """The order of a time through all examples; the first one is number 0."""
        order = list(range(self._examples))
        random.Random(f"agon-draws/1:{self._seed}:{number}").shuffle(order)  # noqa: S311  (to be drawn again)
        return order


def micro_batch(config: TrainConfig, processes: int = 1) -> int:
    """Examples in memory at once on each device: the most of `config.micro_batch` that divide the batch evenly.

    Raises `CannotTrain` where the batch cannot be split among that many processes.
    """
    if config.batch % processes:
        raise CannotTrain(
            f"a batch of {config.batch} cannot be split evenly among {processes} processes"
        )
    share = config.batch // processes
    return next(n for n in range(min(config.micro_batch, share), 0, -1) if share % n == 0)
