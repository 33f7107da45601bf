"""Actions and their answers, sealed bids, pieces of answers, the queue's requests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from server.gateway.tolls import PIECES, PIECES_PER_S
from server.live.lease import Leases
from server.live.records import LogEvent, Reply
from server.protocol import (
    Abandon,
    Accepted,
    Act,
    Confirm,
    Dequeue,
    Enqueue,
    Error,
    Event,
    Explain,
    Partial,
    Position,
    Rejected,
    SessionView,
    Snapshot,
    Ticket,
    Update,
    Writing,
)
from tests.server.gateway_arena import HOST, Arena, Client, LivePlay, arena_of, running


@pytest.fixture
async def arena(redis: Redis) -> AsyncIterator[Arena]:
    async with arena_of(redis) as arena:
        yield arena


SECRET = "'bid': 37"


def bid(play: LivePlay, act: str, chips: int, *, turn: int | None = None) -> Act:
    turn = play.match.turn if turn is None else turn
    return Act(act, play.table.session, turn, f"bid: {chips}")


async def events_of(client: Client, kind: str) -> Event:
    """The first event of this type that the client is sent."""
    while True:
        update = await client.expect(Update)
        for event in update.events:
            if event.type == kind:
                return event


async def test_an_accepted_action_is_acked_by_its_event(arena: Arena) -> None:
    play = await arena.play()
    async with arena.client("agent0") as seat0:
        await seat0.send(bid(play, "a1", 10))
        await play.step()
        accepted = await seat0.expect(Accepted)
        [event] = await arena.log.read(play.table.channel, accepted.offset, 1)
        assert (event.type, event.act, accepted.session) == ("action", "a1", play.table.session)


async def test_the_same_id_again_is_harmless_and_answered_alike(arena: Arena) -> None:
    play = await arena.play()
    async with arena.client("agent0") as seat0:
        for _ in range(3):
            await seat0.send(bid(play, "a1", 10))
        await play.step()
        first = await seat0.expect(Accepted)
        await seat0.send(bid(play, "a1", 10))
        assert await seat0.expect(Accepted) == first
        assert len(play.taken) == 1
    async with arena.client("agent0") as again:  # a new connection, e.g. after a crash
        await again.send(bid(play, "a1", 10))
        assert await again.expect(Accepted) == first
    actions = [e for e in await arena.log.read(play.table.channel, 0, 99) if e.type == "action"]
    assert len(actions) == 1


async def test_two_programs_of_one_agent_answer_once(arena: Arena) -> None:
    play = await arena.play()
    async with arena.client("agent0") as one, arena.client("agent0") as other:
        await one.send(bid(play, "a1", 10))
        await other.send(bid(play, "a1", 11))
        await play.step()
        first = await one.expect(Accepted)
        assert await other.expect(Accepted) == first
        await other.send(bid(play, "a1", 12))  # too late to change its mind
        assert await other.expect(Accepted) == first
    actions = [e for e in await arena.log.read(play.table.channel, 0, 99) if e.type == "action"]
    assert len(actions) == 1


async def test_a_rejected_action_may_be_tried_once_more(arena: Arena) -> None:
    play = await arena.play()
    async with arena.client("agent0") as seat0:
        await seat0.send(Act("a1", play.table.session, play.match.turn, "I fold"))
        await play.step()
        rejected = await seat0.expect(Rejected)
        assert (rejected.id, rejected.code, rejected.attempt) == ("a1", "unparsable", 2)
        assert rejected.deadline_ms > play.table.record.opened_ms
        await seat0.send(bid(play, "a2", 5))
        await play.step()
        assert (await seat0.expect(Accepted)).id == "a2"


async def test_the_second_fault_leaves_no_attempt(arena: Arena) -> None:
    play = await arena.play()
    async with arena.client("agent0") as seat0:
        for act in ("a1", "a2"):
            await seat0.send(Act(act, play.table.session, play.match.turn, "I fold"))
            await play.step()
            rejected = await seat0.expect(Rejected)
        assert (rejected.id, rejected.attempt, rejected.deadline_ms) == ("a2", 0, 0)


async def test_a_refusal_that_is_no_event_is_answered_too(arena: Arena) -> None:
    play = await arena.play()
    async with arena.client("agent0") as seat0:
        await seat0.send(bid(play, "a1", 5, turn=77))
        await play.step()
        assert (await seat0.expect(Rejected)).code == "stale-turn"


async def test_a_reply_to_one_seat_is_not_taken_by_the_other(arena: Arena) -> None:
    play = await arena.play()
    session = play.table.session
    async with arena.client("agent0") as seat0, arena.client("agent1") as seat1:
        await seat0.send(bid(play, "same", 5))
        await seat1.send(bid(play, "same", 6, turn=77))
        await asyncio.sleep(0.05)
        await arena.reply(Reply("gateway-1", "same", session, "stale-turn", "old", seat=1))
        assert (await seat1.expect(Rejected)).code == "stale-turn"
        await play.step()
        assert (await seat0.expect(Accepted)).id == "same"


async def test_only_seated_agents_may_act(arena: Arena) -> None:
    play = await arena.play()
    arena.agent("stranger")
    async with arena.client("stranger") as stranger, arena.client() as spectator:
        await stranger.send(bid(play, "a1", 5))
        assert (await stranger.expect(Rejected)).code == "no-seat"
        await stranger.send(Act("a2", "no-such-session", 0, "x"))
        assert (await stranger.expect(Rejected)).code == "unknown-session"
        await spectator.send(bid(play, "a3", 5))
        error = await spectator.expect(Error)
        assert (error.code, error.ref) == ("forbidden", "a3")
    assert not await play._inbox.take(HOST, 10)


async def test_an_action_without_a_host_is_sent_again_until_one_takes_it(arena: Arena) -> None:
    play = await arena.play()
    leases = Leases(arena.redis)
    await leases.release(HOST, {play.table.session: play.table.token})
    async with arena.client("agent0") as seat0:
        await seat0.send(bid(play, "a1", 10))
        await asyncio.sleep(0.2)
        assert not play.taken
        await play.table.lease()
        await play.step()
        assert (await seat0.expect(Accepted)).id == "a1"


async def test_an_action_lost_with_its_host_is_sent_again(arena: Arena) -> None:
    play = await arena.play()
    async with arena.client("agent0") as seat0:
        await seat0.send(bid(play, "a1", 10))
        await play._inbox.take(HOST, 2_000)  # taken by a host that dies with it
        await play.step()
        assert (await seat0.expect(Accepted)).id == "a1"


async def test_the_end_of_a_session_answers_what_is_pending(arena: Arena) -> None:
    play = await arena.play()
    async with arena.client("agent0") as seat0:
        await seat0.send(bid(play, "a1", 10))
        await asyncio.sleep(0.05)
        play.match.void("the test ends it", play.table.record.opened_ms + 1)
        await play._store()
        assert (await seat0.expect(Rejected)).code == "over"
        await seat0.send(bid(play, "a2", 10))
        assert (await seat0.expect(Rejected)).code == "over"


def abandon(play: LivePlay, act: str) -> Abandon:
    return Abandon(act, play.table.session, play.match.turn, "its model did not answer")


async def test_a_hosted_agent_may_void_its_session(arena: Arena) -> None:
    play = await arena.play(agents=(arena.agent("house", hosted=True), arena.agent("rival")))
    async with arena.client("house") as house, arena.client("rival") as rival:
        await rival.snapshot(play.table.channel)
        await rival.send(bid(play, "b1", 12))
        await play.step()
        await house.send(abandon(play, "x"))
        await house.send(abandon(play, "x"))  # the same again is harmless
        await play.step()
        accepted = await house.expect(Accepted)
        void = await events_of(rival, "void")
        assert (accepted.id, accepted.offset) == ("x", void.offset)
        assert void.body == {"reason": "seat 0 could not be played: its model did not answer"}
        view = [m.view for m in rival.seen if isinstance(m, Update)][-1]
        assert isinstance(view, SessionView)
        assert view.status == "void"
        await house.send(abandon(play, "y"))
        assert (await house.expect(Rejected, lambda m: m.id == "y")).code == "over"


async def test_nobody_else_may_void_a_session(arena: Arena) -> None:
    play = await arena.play()
    arena.agent("house", hosted=True)
    async with (
        arena.client("agent0") as remote,
        arena.client() as spectator,
        arena.client("house") as unseated,
    ):
        for client in (remote, spectator):
            await client.send(abandon(play, "x"))
            error = await client.expect(Error)
            assert (error.code, error.ref) == ("forbidden", "x")
        await unseated.send(abandon(play, "x"))
        assert (await unseated.expect(Rejected)).code == "no-seat"
    assert not await play._inbox.take(HOST, 10)


async def test_an_abandon_of_a_decision_that_is_gone_is_refused(arena: Arena) -> None:
    play = await arena.play(agents=(arena.agent("house", hosted=True), arena.agent("rival")))
    async with arena.client("house") as house:
        await house.send(Abandon("x", play.table.session, 77, "too late"))
        await play.step()
        assert (await house.expect(Rejected)).code == "stale-turn"
        assert play.match.status == "live"


async def test_a_sealed_bid_is_hidden_from_all_but_its_seat(arena: Arena) -> None:
    play = await arena.play()
    channel = play.table.channel
    async with (
        arena.client("agent0") as seat0,
        arena.client("agent1") as seat1,
        arena.client() as spectator,
    ):
        for client in (seat0, seat1, spectator):
            await client.snapshot(channel)
        await seat0.send(bid(play, "a1", 37))
        await play.step()
        own = await events_of(seat0, "action")
        assert own.body["action"]["bid"] == 37
        for client in (seat1, spectator):
            hidden = await events_of(client, "sealed")
            assert hidden.offset == own.offset
            assert SECRET not in repr(client.seen)
            view = [m.view for m in client.seen if isinstance(m, Update)][-1]
            assert isinstance(view, SessionView)
            assert view.state["bids_in"] == [True, False]
        await seat1.send(bid(play, "b1", 12))
        await play.step()
        for client in (seat0, seat1, spectator):
            assert SECRET in repr(await events_of(client, "reveal"))


async def test_a_resumed_replay_hides_what_was_hidden(arena: Arena) -> None:
    play = await arena.play()
    async with arena.client() as spectator:
        position = await spectator.snapshot(play.table.channel)
    async with arena.client("agent0") as seat0:
        await seat0.send(bid(play, "a1", 37))
        await play.step()
        await seat0.expect(Accepted)
    async with arena.client() as spectator:
        await spectator.subscribe(play.table.channel, Position(position.epoch, position.offset))
        await events_of(spectator, "sealed")
        assert SECRET not in repr(spectator.seen)


async def test_seats_see_their_own_view(arena: Arena) -> None:
    play = await arena.play()
    async with arena.client("agent1") as seat1, arena.client() as spectator:
        own = (await seat1.snapshot(play.table.channel)).view
        public = (await spectator.snapshot(play.table.channel)).view
        assert isinstance(own, SessionView)
        assert isinstance(public, SessionView)
        assert (own.you, public.you) == (1, None)
        assert own.prompt
        assert public.prompt is None


async def test_pieces_stream_to_all_who_watch(arena: Arena) -> None:
    play = await arena.play("rap-battle")
    session, turn = play.table.session, play.match.turn
    [decision] = play.match.views().public.decisions  # type: ignore[union-attr]
    writer = f"agent{decision.seat}"
    async with arena.client(writer) as seat, arena.client() as spectator:
        await spectator.snapshot(play.table.channel)
        text = "my rhymes arrive in pieces, every line increases"
        for at in range(0, len(text), 10):
            await seat.send(Partial(session, turn, at, text[at : at + 10]))
        written = ""
        while written != text:
            piece = await spectator.expect(Writing)
            assert (piece.seat, piece.turn, piece.at) == (decision.seat, turn, len(written))
            written += piece.text


async def test_pieces_of_a_seat_are_bounded_over_all_its_connections(arena: Arena) -> None:
    play = await arena.play("rap-battle")
    session, turn = play.table.session, play.match.turn
    [decision] = play.match.views().public.decisions  # type: ignore[union-attr]
    writer = f"agent{decision.seat}"
    async with arena.client(writer) as one, arena.client(writer) as two, arena.client() as watcher:
        await watcher.snapshot(play.table.channel)
        started = asyncio.get_running_loop().time()
        for _ in range(PIECES * 4 // 5):
            await one.send(Partial(session, turn, 0, "x"))
            await two.send(Partial(session, turn, 0, "x"))
        for client in (one, two):
            await client.snapshot("lobby")  # served in order: the pieces before it are dealt with
        passed_s = asyncio.get_running_loop().time() - started
        await play.table.append(LogEvent(t=1, by="host", type="deadline", body={}))
        await watcher.expect(Update)
        shown = sum(len(m.text) for m in watcher.seen if isinstance(m, Writing))
        assert PIECES <= shown <= PIECES + passed_s * PIECES_PER_S + 1


async def test_every_answer_is_counted(arena: Arena) -> None:
    play = await arena.play()
    async with arena.client("agent0") as seat0:
        await seat0.send(Act("a0", "no-such-session", 0, "bid: 1"))
        await seat0.expect(Rejected)
        for _ in range(2):
            await seat0.send(bid(play, "a1", 10))
            await play.step(100)
            await seat0.expect(Accepted)
        await seat0.send(bid(play, "a2", 10))
        await asyncio.sleep(0.05)
        play.match.void("the test ends it", play.table.record.opened_ms + 1)
        await play._store()
        await seat0.expect(Rejected)
    counted = arena.gateways[0]._metrics.actions
    codes = ("accepted", "unknown-session", "over")
    assert [counted.labels(code)._value.get() for code in codes] == [2, 1, 1]


async def test_pieces_of_sealed_foreign_or_stale_decisions_are_ignored(arena: Arena) -> None:
    sealed = await arena.play()
    rap = await arena.play("rap-battle")
    [decision] = rap.match.views().public.decisions  # type: ignore[union-attr]
    arena.agent("stranger")
    async with (
        arena.client("agent0") as seat0,
        arena.client("agent1") as seat1,
        arena.client("stranger") as stranger,
        arena.client() as spectator,
    ):
        await spectator.snapshot(sealed.table.channel)
        await spectator.snapshot(rap.table.channel)
        await seat0.send(Partial(sealed.table.session, sealed.match.turn, 0, "bid: 3"))
        other = seat1 if decision.seat == 0 else seat0
        writer = seat0 if decision.seat == 0 else seat1
        for client in (other, stranger):
            await client.send(Partial(rap.table.session, rap.match.turn, 0, "not mine"))
        await writer.send(Partial(rap.table.session, rap.match.turn + 1, 0, "too early"))
        await writer.send(Partial(rap.table.session, rap.match.turn, 16_384, "too long"))
        await writer.send(Partial("no-such-session", 0, 0, "nowhere"))
        for client in (seat0, seat1, stranger):
            await client.snapshot("lobby")  # served in order: the pieces before it are dealt with
        await writer.send(Partial(rap.table.session, rap.match.turn, 0, "mine"))
        assert (await spectator.expect(Writing)).text == "mine"
        assert len([m for m in spectator.seen if isinstance(m, Writing)]) == 1


async def test_pieces_of_sealed_texts_are_ignored_until_the_last_seat_has_answered(
    arena: Arena,
) -> None:
    """Also when one seat alone still writes: the others' texts are sealed until it has answered."""
    play = await arena.play("writing")
    async with contextlib.AsyncExitStack() as open_clients:
        seats = [
            await open_clients.enter_async_context(arena.client(f"agent{n}")) for n in range(5)
        ]
        spectator = await open_clients.enter_async_context(arena.client())
        await spectator.snapshot(play.table.channel)
        for number, seat in enumerate(seats[:4]):
            await seat.send(Partial(play.table.session, play.match.turn, 0, "too early"))
            await seat.send(Act(f"a{number}", play.table.session, play.match.turn, "A text."))
            await play.step()
            await seat.expect(Accepted)
        await seats[4].send(Partial(play.table.session, play.match.turn, 0, "the last one"))
        await seats[4].snapshot("lobby")  # served in order: the piece before it is dealt with
        await seats[4].send(Act("a4", play.table.session, play.match.turn, "The last text."))
        await play.step()
        await seats[4].expect(Accepted)
        await events_of(spectator, "end")
        assert not [message for message in spectator.seen if isinstance(message, Writing)]


async def test_actions_go_through_any_gateway(arena: Arena) -> None:
    play = await arena.play()
    async with (
        running(arena.gateway("gateway-2")),
        arena.client("agent0", at=1) as seat0,
        arena.client(at=0) as spectator,
    ):
        await spectator.snapshot(play.table.channel)
        await seat0.send(bid(play, "a1", 10))
        await play.step()
        assert (await seat0.expect(Accepted)).id == "a1"
        await events_of(spectator, "sealed")


async def test_the_queue_by_way_of_the_wire(arena: Arena) -> None:
    arena.agent("alice")
    async with arena.client("alice") as alice:
        await alice.expect(Snapshot)
        await alice.send(Enqueue("bid-tac-toe"))
        ticket = await alice.expect(Ticket)
        assert (ticket.state, ticket.space, ticket.tier_micros) == ("waiting", "bid-tac-toe", 0)
        await alice.send(Enqueue("bid-tac-toe"))
        again = await alice.expect(Error)
        assert (again.code, again.ref) == ("already-queued", ticket.ticket)
        await alice.send(Explain(ticket.ticket))
        assert (await alice.expect(Ticket)).ticket == ticket.ticket
        await alice.send(Dequeue(ticket.ticket))
        assert (await alice.expect(Ticket)).state == "gone"
        await alice.send(Dequeue(ticket.ticket))
        assert (await alice.expect(Error)).code == "unknown-ticket"
        await alice.send(Confirm("no.0.offer"))
        assert (await alice.expect(Error)).code == "unknown-offer"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Enqueue("no-such-space"), "unknown-space"),
        (Enqueue("bid-tac-toe", 100_001), "tier-closed"),
        (Explain("nonsense"), "unknown-ticket"),
        (Confirm("nonsense"), "unknown-offer"),
    ],
)
async def test_requests_that_cannot_be_served(
    arena: Arena, request_: Enqueue | Explain | Confirm, code: str
) -> None:
    arena.agent("alice")
    async with arena.client("alice") as alice, arena.client() as spectator:
        await alice.send(request_)
        assert (await alice.expect(Error)).code == code
        await spectator.send(request_)
        assert (await spectator.expect(Error)).code == "forbidden"
