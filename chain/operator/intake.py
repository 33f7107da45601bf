"""Which tasks are new, of what the arena tells on its channel: numbers go on without a hole, or the rest is asked for. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chain.operator.journal import Task


class Told(msgspec.Struct, frozen=True):
    """A task as it is told."""

    number: int
    task: Task


class News(msgspec.Struct, frozen=True):
    """What follows from something that was told."""

    fresh: tuple[Task, ...]
    after: int
    """The number up to which all is known with these."""
    missing: bool = False
    """There are tasks between what is known and what was told: ask for those after `after`."""


def news(told: Sequence[Told], after: int) -> News:
    """`told` in the order of their numbers."""
    fresh = [each for each in told if each.number > after]
    if not fresh:
        return News((), after)
    run = [each for place, each in enumerate(fresh, 1) if each.number == after + place]
    return News(tuple(each.task for each in run), after + len(run), missing=len(run) < len(fresh))


def goes_on(told: Sequence[Told], after: int, last: str) -> bool:
    """Whether the arena that tells these, asked for what comes after number `after` - 1, still counts as it did when task `after`
    was the one of the CID `last`. One that was set back to a backup does not: all is to be asked for again."""
    return after == 0 or any(each.number == after and each.task.cid == last for each in told)
