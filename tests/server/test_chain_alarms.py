"""What the chain's client has to say is counted and logged."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from chain.client.txs import Alarm
from server.metrics import Metrics
from server.settlement.alarms import ChainAlarms


def test_alarms_are_counted_by_kind_and_logged() -> None:
    registry = CollectorRegistry()
    alarms = ChainAlarms(Metrics(registry))
    with capture_logs() as lines:
        alarms.writer(Alarm("fee-capped", "epoch:1", "would need more"))
        alarms.reader("reorganised", "all after block 7 is read again")
    assert [(line["kind"], line.get("action")) for line in lines] == [
        ("fee-capped", "epoch:1"),
        ("reorganised", None),
    ]
    for part, kind in (("writer", "fee-capped"), ("reader", "reorganised")):
        labels = {"part": part, "kind": kind}
        assert registry.get_sample_value("agon_chain_alarms_total", labels) == 1
