"""What the chain's client has to say to a person: a line in the log, and a counter for alerts."""

from __future__ import annotations

import structlog

from chain.client.txs import Alarm
from server.metrics import Metrics

_logger = structlog.get_logger()


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
