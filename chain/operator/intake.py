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
    anew: bool = False
    """The arena counts from a smaller number than we know: it was set back, and all is to be asked for again."""


def news(told: Sequence[Told], after: int, *, newest: bool) -> News:
    """`told` in the order of their numbers; `newest`: no task that was given so far is newer than the last of them."""
    if newest and told and told[-1].number < after:
        return News((), 0, missing=True, anew=True)
    fresh = [each for each in told if each.number > after]
    if not fresh:
        return News((), after)
    if fresh[0].number != after + 1:
        return News((), after, missing=True)
    run = [each for place, each in enumerate(fresh) if each.number == after + 1 + place]
    return News(tuple(each.task for each in run), run[-1].number, missing=len(run) < len(fresh))
