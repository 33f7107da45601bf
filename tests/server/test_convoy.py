"""Many items in one transaction: gathered under load, each answered for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from server.convoy import Convoy


class Road:
    """Carries numbers: doubles even ones, refuses 13 for itself, breaks down under any batch with 666."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def carry(self, items: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(items))
        await self.gate.wait()
        if 666 in items:
            raise RuntimeError("the bridge is down")
        return [ValueError("unlucky") if item == 13 else 2 * item for item in items]


def _convoy(road: Road, limit: int = 64) -> Convoy[int, int]:
    return Convoy(road.carry, key=lambda item: item, limit=limit)


async def test_what_is_asked_for_meanwhile_travels_together() -> None:
    road = Road()
    convoy = _convoy(road, limit=3)
    road.gate.clear()
    first = asyncio.create_task(convoy.ride(1))
    await asyncio.sleep(0.01)
    rest = [asyncio.create_task(convoy.ride(number)) for number in (2, 3, 4, 5)]
    await asyncio.sleep(0.01)
    road.gate.set()
    assert await first == 2
    assert await asyncio.gather(*rest) == [4, 6, 8, 10]
    assert road.batches == [[1], [2, 3, 4], [5]]


async def test_the_same_twice_is_done_one_after_the_other() -> None:
    road = Road()
    convoy = _convoy(road)
    assert await asyncio.gather(*(convoy.ride(number) for number in (7, 7, 8))) == [14, 14, 16]
    assert road.batches == [[7, 8], [7]]


async def test_one_bad_item_costs_nobody_else() -> None:
    road = Road()
    convoy = _convoy(road)
    found = await asyncio.gather(
        *(convoy.ride(number) for number in (1, 666, 13, 2)), return_exceptions=True
    )
    assert [str(each) for each in found] == ["2", "the bridge is down", "unlucky", "4"]


async def test_who_leaves_before_it_sets_out_is_not_carried() -> None:
    road = Road()
    convoy = _convoy(road)
    road.gate.clear()
    first = asyncio.create_task(convoy.ride(1))
    await asyncio.sleep(0.01)
    second, third = (asyncio.create_task(convoy.ride(number)) for number in (2, 3))
    await asyncio.sleep(0.01)
    second.cancel()
    first.cancel()  # under way: it is done, and nobody asks
    await asyncio.sleep(0.01)
    road.gate.set()
    assert await third == 6
    assert road.batches == [[1], [3]]
    with pytest.raises(asyncio.CancelledError):
        await second


async def test_closing_waits_for_what_was_asked_for() -> None:
    road = Road()
    convoy = _convoy(road)
    riding = asyncio.create_task(convoy.ride(1))
    await asyncio.sleep(0)
    await convoy.close()
    await convoy.close()
    assert riding.done() or await riding == 2
