"""The end of a proof: what settlement on a chain tells the watchers of a session."""

from __future__ import annotations

from redis.asyncio import Redis

from server.clock import unix_ms
from server.jobs.aftermath import Aftermath
from server.jobs.anchored import tell_anchored, tell_refunded
from server.live.log import LiveLog
from server.protocol import Step
from server.store import Store
from tests.server.aftermath_session import Seats, events, finish, view

TX = "0x" + "c0" * 32
OTHER = "0x" + "c1" * 32


async def test_an_epoch_is_told_once_for_each_transaction_that_stands(
    store: Store, redis: Redis
) -> None:
    session = await finish(store, redis, await Seats.registered(store), "bid-tac-toe")
    aftermath = Aftermath(LiveLog(redis), unix_ms)
    assert await tell_anchored(aftermath, session, 7, TX)
    assert not await tell_anchored(aftermath, session, 7, TX)
    assert (await view(redis, session)).steps[-1] == Step("anchored", "done", f"epoch 7, tx {TX}")
    assert await tell_anchored(aftermath, session, 8, OTHER)  # the first was reorganised away
    assert (await view(redis, session)).steps[-1].detail == f"epoch 8, tx {OTHER}"
    told = [each.body for each in await events(redis, session, "anchored")]
    assert told == [{"epoch": 7, "tx": TX}, {"epoch": 8, "tx": OTHER}]


async def test_a_refund_on_the_chain_is_told_in_its_place(store: Store, redis: Redis) -> None:
    session = await finish(store, redis, await Seats.registered(store), "bid-tac-toe")
    assert await tell_refunded(Aftermath(LiveLog(redis), unix_ms), session, TX)
    assert (await view(redis, session)).steps[-1] == Step("anchored", "done", f"refunded, tx {TX}")


async def test_a_session_that_nobody_can_watch_any_more_is_told_nothing(redis: Redis) -> None:
    assert not await tell_anchored(Aftermath(LiveLog(redis), unix_ms), "long-gone", 1, TX)
