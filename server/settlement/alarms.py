"""What the chain's client has to say to a person: a line in the log, and a counter for alerts."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from chain.client.txs import Alarm
from server.clock import Clock
from server.metrics import Metrics

EVERY_MS = 60_000
KEPT = 1_000

_logger = structlog.get_logger()


class Alarming:
    """Passes an alarm on at most once a minute for each thing."""

    def __init__(self, alarm: Callable[[Alarm], None], clock: Clock) -> None:
        self._alarm = alarm
        self._clock = clock
        self._told_ms: dict[tuple[str, str], int] = {}

    def __call__(self, kind: str, action: str, detail: str) -> None:
        now_ms = self._clock()
        if now_ms - self._told_ms.get((kind, action), now_ms - EVERY_MS) < EVERY_MS:
            return
        if len(self._told_ms) >= KEPT:
            self._told_ms.clear()
        self._told_ms[kind, action] = now_ms
        self._alarm(Alarm(kind, action, detail))


class ChainAlarms:
    """Hand `writer` to a TxWriter and `reader` to an Indexer."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def writer(self, alarm: Alarm) -> None:
        self._metrics.chain_alarms.labels("writer", alarm.kind).inc()
        _logger.warning("chain", kind=alarm.kind, action=alarm.action, detail=alarm.detail)

    def reader(self, kind: str, detail: str) -> None:
        self._metrics.chain_alarms.labels("reader", kind).inc()
        _logger.warning("chain", kind=kind, detail=detail)
