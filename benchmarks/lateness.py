"""How late the gateway's ticks are while 1 % of its readers have stalled, and how old frames arrive.

Two runs of the same form: 10 ticks a second, each one event that says when it was made.
First 1,000 connections of which 10 never read; a tick is late by as much as the loop came back to it
after its time. The bound on unread output is small here, so that the stalled are cut off within the
run. Then 5,000 spectators, where what counts is the age of a frame when a client of another process has
read it; a part of that age is the crowd's own, single-threaded Python.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.crowd import crowd, raise_file_limit
from benchmarks.stage import HELLO, staged
from server.live.records import LogEvent
from server.protocol import JSON_SUBPROTOCOL

HZ = 10
SECONDS = 12
PAYLOAD_BYTES = 4_096
SMALL_PAYLOAD_BYTES = 512

CONNECTIONS = 1_000
STALLED = 10
STALLED_ROOM = 64 * 1024

SPECTATORS = 5_000
SAMPLE = 20
"""Every such client looks at the age of its frames."""

LATENESS_BAR_MS = 10.0
DELIVERY_BAR_MS = 60.0


class Ticks(NamedTuple):
    late_ms: list[float]
    ages_ms: list[float]
    cut: int
    """Connections that were cut off."""


async def run(redis_url: str) -> list[dict[str, Any]]:
    raise_file_limit()
    stalled = await _ticks(
        CONNECTIONS, stalled=STALLED, payload=PAYLOAD_BYTES, sample=0, room=STALLED_ROOM
    )
    watched = await _ticks(SPECTATORS, stalled=0, payload=SMALL_PAYLOAD_BYTES, sample=SAMPLE)
    late, age = percentile(stalled.late_ms, 99), percentile(watched.ages_ms, 99)
    return [
        {
            "name": "tick_lateness_p99_ms",
            "value": round(late, 2),
            "unit": "ms",
            "bar": LATENESS_BAR_MS,
            "met": late <= LATENESS_BAR_MS and stalled.cut == STALLED,
            "peers": {},
        },
        {
            "name": "delivery_5000_spectators_p99_ms",
            "value": round(age, 1),
            "unit": "ms",
            "bar": DELIVERY_BAR_MS,
            "met": age <= DELIVERY_BAR_MS,
            "peers": {},
        },
    ]


async def _ticks(
    count: int, *, stalled: int, payload: int, sample: int, room: int = 1024 * 1024
) -> Ticks:
    async with (
        staged(send_buffer_bytes=room) as ours,
        crowd(
            ours.port,
            count,
            hello=HELLO,
            stalled=stalled,
            sample=sample,
            subprotocol=JSON_SUBPROTOCOL,
        ) as clients,
    ):
        await ours.joined(count)
        await clients.report()
        late_ms: list[float] = []
        loop = asyncio.get_running_loop()
        start = loop.time() + 0.5
        for number in range(SECONDS * HZ):
            due = start + number / HZ
            await asyncio.sleep(due - loop.time())
            late_ms.append((loop.time() - due) * 1_000)
            body = {"at": time.monotonic_ns(), "x": "x" * payload}
            ours.stage.tell([LogEvent(number, "host", "deadline", body)])
        await asyncio.sleep(1)
        report = await clients.report()
        return Ticks(late_ms, report["ages_ms"], count - ours.gateway.connections)


def percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0
