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

        self.queue_oldest = Gauge(
            "agon_matchmaking_oldest_seconds",
            "How long the longest has been waiting in a queue",
            ["space", "tier_micros"],
            registry=registry,
        )
        self.unopened = Gauge(
            "agon_sessions_unopened",
            "Sessions that were formed and whose live log was not opened within seconds",
            registry=registry,
        )

        # worker
        self.jobs = Gauge(
            "agon_jobs",
            "Outbox rows that are not done: `waiting`, `running`, `dead`",
            ["step", "state"],
            registry=registry,
        )
        self.jobs_due = Gauge(
            "agon_jobs_due_seconds",
            "For how long the longest due step has been waiting, that nothing but workers holds up",
            ["step"],
            registry=registry,
        )
        self.steps = Counter(
            "agon_steps",
            "Attempts of outbox steps: `done`, `retry`, `dead`, `untold` (could not be given up), `stopped`, `superseded`",
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

        # content
        self.pinned_bytes = Counter(
            "agon_pinned_bytes",
            "Bytes of transcripts that this worker has had pinned",
            registry=registry,
        )
        self.unpinned_oldest = Gauge(
            "agon_unpinned_oldest_seconds",
            "How long ago the oldest session was sealed whose transcript is not pinned yet; 0: all are",
            registry=registry,
        )

        # money
        self.imbalance = Gauge(
            "agon_ledger_imbalance_micros",
            "Debits less credits over all accounts of an asset, `posted` and `pending`; always 0",
            ["asset", "kind"],
            registry=registry,
        )
        self.pots_left = Gauge(
            "agon_ledger_pots_left",
            "Sessions settled in the last hour whose pot is not empty; always 0",
            registry=registry,
        )
        self.holds_oldest = Gauge(
            "agon_holds_oldest_seconds",
            "Age of the oldest entry that is `held` for a ticket, or `spent` on a session not settled",
            ["state"],
            registry=registry,
        )

        # chain
        self.chain_alarms = Counter(
            "agon_chain_alarms",
            "Times that the chain's client had something to say to a person, by what it is",
            ["part", "kind"],
            registry=registry,
        )

        self.chain_behind = Gauge(
            "agon_chain_behind_blocks",
            "Blocks from the last one whose logs were read to the node's head; the confirmations, when all is well",
            registry=registry,
        )
        self.escrow_difference = Gauge(
            "agon_escrow_difference_micros",
            "What the ledger believes too much of what the escrow holds, at the same block; always 0",
            registry=registry,
        )
        self.escrow_owed = Gauge(
            "agon_escrow_owed_micros",
            "What the chain has taken of owners, or will, that the ledger could not reserve yet: it waits in queues and pots",
            registry=registry,
        )
        self.escrow_wanted = Gauge(
            "agon_escrow_sessions_wanted",
            "Paid sessions that are formed and that the escrow has not opened yet",
            registry=registry,
        )

        # node operators
        self.replication = Gauge(
            "agon_replication_blocks",
            "Blocks that operators are asked to keep, by how many that stand do; the last counts those with more",
            ["keepers"],
            registry=registry,
        )
        self.replication_short = Gauge(
            "agon_replication_short",
            "Blocks that were asked for an hour ago or longer, and have too few keepers",
            registry=registry,
        )
        self.operators_standing = Gauge(
            "agon_operators_standing",
            "Node operators among whom blocks are shared out",
            registry=registry,
        )

        # services
        self.ready = Gauge(
            "agon_ready", "1 where a check of /readyz is well, else 0", ["check"], registry=registry
        )
        self.round_trip = Gauge(
            "agon_round_trip_seconds",
            "Time of one question to a service, when the metrics were asked for",
            ["service"],
            registry=registry,
        )
        self.court_judges = Gauge(
            "agon_court_judges", "Judges that can be drawn", registry=registry
        )
        self.court_waiting = Gauge(
            "agon_court_waiting", "Hearings that wait to be filed", registry=registry
        )
        self.court_funds_micros = Gauge(
            "agon_court_funds_micros",
            "USDC in the court that no judge has earned yet, micros",
            registry=registry,
        )
        self.replication_lag = Gauge(
            "agon_replication_lag_seconds",
            "How far a replica of a service is behind, where the service says so",
            ["service", "replica"],
            registry=registry,
        )
        self.disk_free = Gauge(
            "agon_disk_free_bytes", "Free on the disk of data_dir", registry=registry
        )
        self.gauging_failures = Counter(
            "agon_gauging_failures",
            "Times that something of the above could not be measured: it keeps its last value",
            ["what"],
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
