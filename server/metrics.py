"""Every metric of Agon, in one place. `Metrics(registry)` is made once per process and passed in.

Label values come from closed sets (Spaces, codes, message types), never from clients' text.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

TICK_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
HTTP_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
LATENESS_BUCKETS_S = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 15.0, 60.0)
STEP_BUCKETS_S = (0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 180.0)


class Metrics:
    """The attributes are the metrics; a role touches those that its docstring line names."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry

        # gateway
        self.connections = Gauge(
            "agon_connections", "Open websocket connections", registry=registry
        )
        self.closed = Counter(
            "agon_connections_closed",
            "Connections ended, by close code (3001: a slow reader was cut off)",
            ["code"],
            registry=registry,
        )
        self.messages_in = Counter(
            "agon_messages_in", "Messages received, by type", ["type"], registry=registry
        )
        self.frames_out = Counter(
            "agon_frames_out",
            "Writes of the fan-out, one for each connection and tick",
            registry=registry,
        )
        self.actions = Counter(
            "agon_actions",
            "Actions answered: `accepted`, or the code of the refusal",
            ["answer"],
            registry=registry,
        )

        # host
        self.sessions_live = Gauge(
            "agon_sessions_live", "Sessions this host leases", registry=registry
        )
        self.tick_work = Histogram(
            "agon_tick_work_seconds",
            "Time one tick took over all sessions",
            buckets=TICK_BUCKETS_S,
            registry=registry,
        )
        self.tick_lateness = Histogram(
            "agon_tick_lateness_seconds",
            "How late a tick began",
            buckets=TICK_BUCKETS_S,
            registry=registry,
        )
        self.sessions_ended = Counter(
            "agon_sessions_ended", "Sessions sealed", ["space", "status"], registry=registry
        )

        # automations' loop (matchmaker)
        self.automation_entries = Counter(
            "agon_automation_entries",
            "Entries that were due: `entered`, `again` (not just now), `stopped`, `failed`",
            ["answer"],
            registry=registry,
        )
        self.automation_lateness = Histogram(
            "agon_automation_lateness_seconds",
            "How long after it was due an entry was made",
            buckets=LATENESS_BUCKETS_S,
            registry=registry,
        )

        # matchmaker
        self.formed = Counter(
            "agon_matchmaking_formed", "Sessions formed", ["space"], registry=registry
        )
        self.waiting = Gauge(
            "agon_matchmaking_waiting",
            "Agents waiting in a queue",
            ["space", "tier_micros"],
            registry=registry,
        )

        # worker
        self.jobs = Gauge(
            "agon_jobs", "Outbox rows that are not done", ["state"], registry=registry
        )
        self.steps = Counter(
            "agon_steps",
            "Attempts of outbox steps: `done`, `retry`, `dead`, `stopped`, `superseded`",
            ["step", "result"],
            registry=registry,
        )
        self.step_time = Histogram(
            "agon_step_seconds",
            "Time of one attempt of an outbox step",
            ["step"],
            buckets=STEP_BUCKETS_S,
            registry=registry,
        )

        # api
        self.requests = Counter(
            "agon_http_requests",
            "HTTP requests answered",
            ["method", "route", "status"],
            registry=registry,
        )
        self.request_time = Histogram(
            "agon_http_request_seconds",
            "Time to answer an HTTP request",
            ["route"],
            buckets=HTTP_BUCKETS_S,
            registry=registry,
        )
