"""Every Redis key of Agon, with its type, lifetime and writer.

All keys of one channel carry the same hash tag `{sNN}`, one of SHARDS, so that each Lua script stays
within one slot of a Redis Cluster, and so that a reader follows all channels with SHARDS streams.
"""

from __future__ import annotations

import zlib

SHARDS = 16
"""More shards spread over more cluster nodes; every gateway and host reads this many streams."""

LOG_MAXLEN = 4_096
"""Events kept per channel. A session has a few hundred at most; the transcript is what lasts."""
FEED_MAXLEN = 2_048
"""Feed items kept per shard: what a gateway may fall behind before it re-reads the logs. An item of
Bid Tac Toe takes about 3 KB, so all shards together hold about 100 MB at most."""
SESSION_TTL_S = 6 * 3600
"""A session's keys outlive its last append by this much."""
AGENT_TTL_S = 24 * 3600
INBOX_MAXLEN = 1_024
"""Actions waiting per host and shard; a gateway sends again what was pushed out."""
INBOX_TTL_S = 60
LEASE_TTL_MS = 2_000
"""A host that has not renewed for this long has lost its sessions."""
LEADER_TTL_MS = 3_000
PRESENCE_TTL_S = 5


def shard(channel: str) -> int:
    """The shard of a channel, 0 .. SHARDS-1 (CRC-32 of its name)."""
    return zlib.crc32(channel.encode()) % SHARDS


def tag(number: int) -> str:
    return f"{{s{number:02d}}}"


def tag_of(channel: str) -> str:
    return tag(shard(channel))


def session_channel(session: str) -> str:
    return f"session:{session}"


def agent_channel(agent: str) -> str:
    return f"agent:{agent}"


def board_channel(space: str) -> str:
    return f"leaderboard:{space}"


def tournament_channel(tournament: str) -> str:
    return f"tournament:{tournament}"


def log(channel: str) -> str:
    """Stream, id `<offset>-1`, field `e`: msgpack LogEvent. The channel's history."""
    return f"log:{tag_of(channel)}:{channel}"


def meta(channel: str) -> str:
    """Hash: `epoch`, `next` (next offset), `batch` and `first` (the last batch's idempotency key and
    first offset), `sealed`."""
    return f"meta:{tag_of(channel)}:{channel}"


def batches(channel: str) -> str:
    """Sorted set: idempotency key of `publish` -> first offset; the last 64."""
    return f"batches:{tag_of(channel)}:{channel}"


def views(channel: str) -> str:
    """String: msgpack `records.ViewSet` after the log's last event."""
    return f"views:{tag_of(channel)}:{channel}"


def record(session: str) -> str:
    """String: msgpack `records.SessionRecord`. Holds the seed: read by hosts and workers only."""
    return f"record:{tag_of(session_channel(session))}:{session}"


def feed(number: int) -> str:
    """Stream of one shard, field `i`: msgpack `records.FeedItem`; what gateways tail."""
    return f"feed:{tag(number)}"


def leases(number: int) -> str:
    """Sorted set: session -> unix ms at which its lease expires (0: free). Unsealed sessions only."""
    return f"leases:{tag(number)}"


def lease_owners(number: int) -> str:
    """Hash: session -> `lease_mark`."""
    return f"owners:{tag(number)}"


def lease_mark(token: int, host: str) -> str:
    """Who leases a session. After a rollback of Redis a token alone may be given twice."""
    return f"{token}:{host}"


def inbox(number: int, host: str) -> str:
    """Stream, field `m`: msgpack `records.Inbound`; actions for the sessions a host leases."""
    return f"inbox:{tag(number)}:{host}"


def queue_tickets(queue: str) -> str:
    """Hash: ticket -> msgpack `records.TicketRecord`. `queue` is `<space>/<tier>`."""
    return f"queue:{{{queue}}}:tickets"


def queue_changes(queue: str) -> str:
    """Stream of joins and leaves, which the queue's leader tails."""
    return f"queue:{{{queue}}}:changes"


def queue_offers(queue: str) -> str:
    """Hash: offer -> msgpack `records.OfferRecord`."""
    return f"queue:{{{queue}}}:offers"


def queue_leader(queue: str) -> str:
    """String `<fencing token>:<matchmaker>`, expires after LEADER_TTL_MS."""
    return f"queue:{{{queue}}}:leader"


def queue_standing(queue: str) -> str:
    """Hash: ticket -> msgpack standing (position, window, reason), refreshed by the leader."""
    return f"queue:{{{queue}}}:standing"


def queue_agents(queue: str) -> str:
    """Hash: agent -> its ticket in this queue, waiting or offered; one each."""
    return f"queue:{{{queue}}}:agents"


def queue_held(queue: str) -> str:
    """Hash: ticket -> the offer that holds it."""
    return f"queue:{{{queue}}}:held"


def queue_seats(queue: str) -> str:
    """Hash: `<offer>` -> confirmations missing; `<offer> <agent>` -> 1 once confirmed, else 0."""
    return f"queue:{{{queue}}}:seats"


def queue_forming(queue: str) -> str:
    """Hash: offer -> msgpack `records.SessionRecord` of the session that it becomes. Secret."""
    return f"queue:{{{queue}}}:forming"


def queue_untold(queue: str) -> str:
    """Hash: `<offer> <agent>` -> `<ticket> <1 if it waits again, else 0>`: offers that have ended and
    whose agents have perhaps not heard of it."""
    return f"queue:{{{queue}}}:untold"


def queue_oldest(queue: str) -> str:
    """String: unix ms since when the longest waiting ticket waits; written by the leader."""
    return f"queue:{{{queue}}}:oldest"


def queue_fence(queue: str) -> str:
    """Integer: the last fencing token given to a leader of the queue. Never expires."""
    return f"queue:{{{queue}}}:fence"


def leader(duty: str) -> str:
    """String `<fencing token>:<process>` for a duty that one process does; see `live/leader.py`."""
    return f"leader:{{{duty}}}"


def leader_fence(duty: str) -> str:
    """Integer: the last fencing token given for a duty. Never expires."""
    return f"leader:{{{duty}}}:fence"


HOSTING_TTL_MS = 15_000
"""A runner that has not asked for this long plays its agents no more, and another may."""


def hosting(agent: str) -> str:
    """String: the process whose runner plays a hosted agent; expires after HOSTING_TTL_MS."""
    return f"hosting:{{{agent}}}"


def presence(gateway: str) -> str:
    """Hash: `s:<session>` -> watchers on that gateway, and `total`; expires after PRESENCE_TTL_S."""
    return f"presence:{gateway}"


def presence_index() -> str:
    """Sorted set: gateway -> unix ms of its last report."""
    return "presence"


def jobs(timeout_class: str) -> str:
    """Sorted set of arq: wake-up -> unix ms. arq keeps its own keys beside it, under `arq:`."""
    return f"jobs:{timeout_class}"


def hosts() -> str:
    """Sorted set: host -> unix ms of its last tick; for `agon doctor` and takeover logs."""
    return "hosts"


PROBE_TTL_S = 10


def probe(process: str) -> str:
    """String, written by `/readyz` to see whether it can be; expires after PROBE_TTL_S."""
    return f"probe:{process}"


REGISTRATIONS_TTL_S = 60


def registrations(network: str) -> str:
    """Integer: agents registered over HTTP from a network in the last REGISTRATIONS_TTL_S."""
    return f"registrations:{network}"


def signin_nonce(nonce: str) -> str:
    """String: a nonce that was given to be signed, until it is used or `signin.NONCE_TTL_S` have passed."""
    return f"signin:{nonce}"


SHARE_SECRET_TTL_S = 2 * 24 * 3600


def share_secret(day: str) -> str:
    """String: 32 random bytes, the secret of a day's (UTC) views of share links; forgotten after SHARE_SECRET_TTL_S."""
    return f"share-secret:{day}"
