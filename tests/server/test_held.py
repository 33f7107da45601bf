"""What a host appends under its lease, against a real Redis."""

from __future__ import annotations

from redis.asyncio import Redis

from server.host.held import Held
from server.live.lease import Leases
from server.live.log import Fenced, LiveLog
from server.match import initial_views, open_event
from tests.server.match_table import record_of


async def test_two_hosts_with_the_same_token_do_not_take_each_others_events_for_theirs(
    redis: Redis,
) -> None:
    """A Redis that went back in time has given the token a second time."""
    log, record = LiveLog(redis), record_of()
    await log.open_session(record, open_event(record), initial_views(record))
    [(session, token)] = await Leases(redis).claim("host-2", 16)
    [loaded] = await log.load([session])
    assert loaded is not None
    before, after = (Held(host, token, loaded, 1_000) for host in ("host-1", "host-2"))
    before.match.takeover(record.opened_ms + 1)
    after.match.takeover(record.opened_ms + 2)
    first, second = before.batch(), after.batch()
    assert first is not None
    assert second is not None
    assert await log.append_many([second]) == [1]
    [answer] = await log.append_many([first])
    assert isinstance(answer, Fenced), "not the offset of what host-2 has written"
    assert await log.append_many([second]) == [1], "its own batch again is its own"
