"""One transaction for many: what is asked for while a transaction is under way goes into the next one together.

A transaction of a few statements costs about as much for sixty sessions as for one, so under load work gathers by
itself, and nothing waits where there is nothing to gather.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

LIMIT = 64
"""Items in one transaction: on SQLite nobody else writes meanwhile."""

T = TypeVar("T")
R = TypeVar("R")

Carry = Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]]
"""Does all items in one transaction; one answer each, in their order. What it raises undoes all of them."""


class Convoy(Generic[T, R]):
    """Of one event loop. `close` it."""

    def __init__(
        self, carry: Carry[T, R], key: Callable[[T], Hashable], limit: int = LIMIT
    ) -> None:
        """Two items of the same `key` never travel together: the second sees what the first has done."""
        self._carry = carry
        self._key = key
        self._limit = limit
        self._waiting: list[_Place[T, R]] = []
        self._moving: asyncio.Task[None] | None = None

    async def ride(self, item: T) -> R:
        """The item's answer; raises it where it is an exception.

        Where a transaction fails, each of its items is tried alone: what is wrong with one costs nobody else.
        Cancelled, the item may or may not have been done.
        """
        place = _Place[T, R](item, asyncio.get_running_loop().create_future())
        self._waiting.append(place)
        if self._moving is None or self._moving.done():
            self._moving = asyncio.create_task(self._move())
        return await place.answer

    async def close(self) -> None:
        """Let everything that has been asked for come to its end. Idempotent."""
        if self._moving is not None and not self._moving.done():
            await self._moving

    async def _move(self) -> None:
        while places := self._next():
            try:
                await self._together(places)
            except BaseException:  # cancelled with the loop: nobody may be left waiting
                for place in (*places, *self._waiting):
                    place.answer.cancel()
                self._waiting.clear()
                raise

    def _next(self) -> list[_Place[T, R]]:
        """The longest that wait, without those that wait no more."""
        taken: dict[Hashable, _Place[T, R]] = {}
        left: list[_Place[T, R]] = []
        for place in self._waiting:
            if place.answer.done():  # cancelled
                continue
            key = self._key(place.item)
            if key in taken or len(taken) >= self._limit:
                left.append(place)
            else:
                taken[key] = place
        self._waiting = left
        return list(taken.values())

    async def _together(self, places: Sequence[_Place[T, R]]) -> None:
        try:
            answers = await self._carry([place.item for place in places])
        except Exception as error:
            if len(places) == 1:
                places[0].give(error)
                return
            for place in places:
                if not place.answer.done():
                    await self._together([place])
            return
        for place, answer in zip(places, answers, strict=True):
            place.give(answer)


class _Place(Generic[T, R]):
    def __init__(self, item: T, answer: asyncio.Future[R]) -> None:
        self.item = item
        self.answer = answer

    def give(self, answer: R | Exception) -> None:
        if self.answer.done():  # cancelled
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)
