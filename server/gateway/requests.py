"""What each request of a client does: one `match` over the protocol's union, and nothing falls through.

A request either answers through the connection or raises `Refused`; what Redis raises while it is
away becomes `unavailable` one level up (`visit`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, assert_never

from server.agents import playing
from server.clock import Clock
from server.config import Config
from server.entering import EntryRefused
from server.gateway.actions import Actions
from server.gateway.channels import Channels
from server.gateway.connection import Peer
from server.gateway.fanout import Fanout
from server.gateway.followed import Glance
from server.gateway.tolls import Tolls
from server.identity import Identity
from server.live import records
from server.live.keys import agent_channel, session_channel
from server.live.queue import AlreadyQueued, UnknownOffer, UnknownTicket
from server.protocol import (
    Abandon,
    Accepted,
    Act,
    ClientMessage,
    Confirm,
    Dequeue,
    Enqueue,
    Error,
    Explain,
    Hello,
    Partial,
    Ping,
    Pong,
    Position,
    Rejected,
    Sign,
    Subscribe,
    Ticket,
    Unsubscribe,
    Watching,
)
from server.store.agents import Standing
from spaces import registry

MAX_SUBSCRIPTIONS = 256
"""Channels one connection may follow."""
MAX_ANSWER_CHARS = 16_384
"""`protocol.Text`: pieces of an answer beyond it would be pieces of nothing."""

COSTS: dict[type[ClientMessage], int] = {
    Hello: 10,
    Ping: 0,  # has a bucket of its own
    Subscribe: 5,
    Unsubscribe: 1,
    Act: 4,
    Abandon: 4,
    Sign: 20,  # it takes a thread for a millisecond or two
    Partial: 1,
    Enqueue: 10,
    Dequeue: 5,
    Confirm: 2,
    Explain: 10,
}
"""Credits each kind of message costs."""


class Refused(Exception):
    """A request that is not served; `error` is the answer."""

    def __init__(self, code: str, reason: str, ref: str = "", retry_after_ms: int = 0) -> None:
        super().__init__(reason)
        self.error = Error(code, reason, retry_after_ms, ref)


class Entering(Protocol):
    """What is needed of `server.entering.Entrance`."""

    async def enter(
        self, identity: Identity, space: str, tier_micros: int
    ) -> records.TicketRecord: ...
    async def leave(self, ticket: str, agent: str) -> Ticket: ...


class Queues(Protocol):
    """What is needed of `server.live.queue.Queues`."""

    async def confirm(self, offer: str, agent: str) -> int: ...
    async def explain(self, ticket: str, agent: str) -> Ticket: ...


class SigningDesk(Protocol):
    """What is needed of `server.settlement.seat_signatures.Desk`."""

    async def sign(self, player: Identity, request: Sign) -> Accepted | Rejected: ...


StandingOf = Callable[[str], Awaitable[Standing | None]]
"""Whether an agent may play now; asked at each entry and confirmation, never for an action."""


class PieceLog(Protocol):
    """What is needed of `server.live.log.LiveLog`."""

    async def piece(self, piece: records.Piece) -> None: ...


class Requests:
    def __init__(
        self,
        *,
        config: Config,
        clock: Clock,
        channels: Channels,
        fanout: Fanout,
        actions: Actions,
        queues: Queues,
        entrance: Entering,
        log: PieceLog,
        tolls: Tolls,
        standing_of: StandingOf,
        desk: SigningDesk | None = None,
    ) -> None:
        """`desk` takes seats' signatures; None where no chain gives them a meaning."""
        self._desk = desk
        self._config = config
        self._clock = clock
        self._channels = channels
        self._fanout = fanout
        self._actions = actions
        self._queues = queues
        self._entrance = entrance
        self._log = log
        self._tolls = tolls
        self._standing_of = standing_of

    async def serve(self, peer: Peer, message: ClientMessage) -> None:
        """Serve one request of a connection that has said hello. Raises Refused."""
        match message:
            case Hello():
                raise Refused("bad-message", "hello was said already")
            case Ping():
                peer.say(Pong(message.n, self._clock()))
            case Subscribe():
                await self.subscribe(peer, message.channel, message.since)
            case Unsubscribe():
                self._unsubscribe(peer, message.channel)
            case Act():
                await self._act(peer, _agent(peer, message.id), message)
            case Abandon():
                await self._act(peer, _runner(peer, message.id), message)
            case Sign():
                await self._sign(peer, _agent(peer, message.id), message)
            case Partial():
                await self._partial(peer, _agent(peer, message.session), message)
            case Enqueue():
                await self._enqueue(peer, _agent(peer, message.space), message)
            case Dequeue() | Confirm() | Explain():
                await self._queue_request(peer, message)
            case _:
                assert_never(message)

    async def subscribe(self, peer: Peer, channel: str, since: Position | None) -> None:
        """Snapshot or replay, then everything that follows, with neither hole nor double."""
        self._check_may_follow(peer, channel)
        followed = await self._channels.follow(channel)
        if followed is None:
            raise Refused("unknown-channel", f"there is no channel {channel}", ref=channel)
        if not peer.listening:
            return
        # From here to the end nothing awaits, so no tick comes between catching up and joining.
        self._fanout.settle(followed)
        self._unsubscribe(peer, channel)
        stream, viewer = followed.place(peer.identity.agent if peer.identity else None)
        audience = stream.join(peer, viewer)
        peer.subscriptions[channel] = (followed, audience)
        frames = stream.owed(audience, since, self._config.send_buffer_bytes // 2)
        if followed.watching:
            frames += peer.codec.frame(Watching(channel, followed.watching))
        if frames:
            peer.write(frames)

    def _check_may_follow(self, peer: Peer, channel: str) -> None:
        kind, _, name = channel.partition(":")
        if kind == "agent" and (peer.identity is None or peer.identity.agent != name):
            raise Refused("forbidden", "an agent's channel is its own", ref=channel)
        if kind == "leaderboard":
            _space(name, "unknown-channel", channel)
        if channel not in peer.subscriptions and len(peer.subscriptions) >= MAX_SUBSCRIPTIONS:
            raise Refused("busy", f"at most {MAX_SUBSCRIPTIONS} channels a connection", ref=channel)

    def _unsubscribe(self, peer: Peer, channel: str) -> None:
        followed_audience = peer.subscriptions.pop(channel, None)
        if followed_audience is not None:
            followed_audience[1].members.discard(peer)

    async def _act(self, peer: Peer, identity: Identity, request: Act | Abandon) -> None:
        answer = await self._actions.act(peer, identity, request)
        if answer is not None:
            peer.say(answer)

    async def _sign(self, peer: Peer, identity: Identity, request: Sign) -> None:
        if self._desk is None:
            reason = "this arena settles on no chain, which would give a signature a meaning"
            peer.say(Rejected(request.id, request.session, "no-chain", reason))
        else:
            peer.say(await self._desk.sign(identity, request))

    async def _partial(self, peer: Peer, identity: Identity, partial: Partial) -> None:
        """Tell the feed of a piece, if it belongs to an open decision that is not sealed.

        Ephemeral, so whatever does not fit or comes too fast is ignored without a word.
        """
        followed = await self._channels.follow(session_channel(partial.session))
        if followed is None or followed.session is None:
            return
        card = followed.seats.get(identity.agent)
        fits = partial.at + len(partial.text) <= MAX_ANSWER_CHARS
        if card is None or not fits:
            return
        seat = card.seat
        if not _may_be_seen(followed.session, seat, partial.turn):
            return
        if playing.acting(card.kind, identity) is not None:
            return
        if self._tolls.piece(partial.session, seat, peer.loop.time()):
            await self._log.piece(
                records.Piece(followed.channel, seat, partial.turn, partial.at, partial.text)
            )

    async def _enqueue(self, peer: Peer, identity: Identity, request: Enqueue) -> None:
        _space(request.space, "unknown-space", request.space)
        identity = await self._playing(identity, request.space)
        try:
            ticket = await self._entrance.enter(identity, request.space, request.tier_micros)
        except EntryRefused as error:
            raise Refused(error.code, _words(error), ref=request.space) from None
        except AlreadyQueued as error:
            reason = f"you wait in this queue already, with ticket {error.ticket.ticket}"
            raise Refused("already-queued", reason, ref=error.ticket.ticket) from None
        peer.say(
            Ticket(
                ticket=ticket.ticket,
                space=ticket.space,
                tier_micros=ticket.tier_micros,
                state="waiting",
                reason="you have just joined the queue",
            )
        )

    async def _queue_request(self, peer: Peer, request: Dequeue | Confirm | Explain) -> None:
        """Answered by `ticket`; a confirmation by what then happens on `agent:{id}`."""
        match request:
            case Confirm(offer=ref) | Dequeue(ticket=ref) | Explain(ticket=ref):
                agent = _agent(peer, ref).agent
        try:
            match request:
                case Dequeue():
                    peer.say(await self._entrance.leave(ref, agent))
                case Explain():
                    peer.say(await self._queues.explain(ref, agent))
                case Confirm():
                    await self._playing(_agent(peer, ref), ref)
                    await self._queues.confirm(ref, agent)
                case _:
                    assert_never(request)
        except UnknownTicket as error:
            raise Refused("unknown-ticket", _words(error), ref=ref) from None
        except UnknownOffer as error:
            raise Refused("unknown-offer", _words(error), ref=ref) from None

    async def _playing(self, identity: Identity, ref: str) -> Identity:
        """The agent as it is now, in the version that plays: a connection may be older than an edit.

        Raises Refused where it may not be queued, or not by who asks.
        """
        standing = await self._standing_of(identity.agent)
        refusal = playing.queueing(standing, runner=identity.runner)
        if refusal is not None:
            raise Refused(refusal.code, refusal.reason, ref=ref)
        assert standing is not None, "refused"
        return standing.identity

    async def prepare(self, identity: Identity) -> None:
        """Open the agent's own channel. Raises what the log raises."""
        await self._channels.follow(agent_channel(identity.agent))

    async def follow_own(self, peer: Peer, identity: Identity) -> None:
        """An agent hears of its own affairs from the start."""
        await self.subscribe(peer, agent_channel(identity.agent), None)


def _agent(peer: Peer, ref: str) -> Identity:
    if peer.identity is None:
        raise Refused("forbidden", "a spectator may only watch; say hello with a key", ref=ref)
    return peer.identity


def _runner(peer: Peer, ref: str) -> Identity:
    identity = _agent(peer, ref)
    if not identity.runner:
        reason = "only the arena's runner may abandon the session of an agent; yours may miss its deadline"
        raise Refused("forbidden", reason, ref=ref)
    return identity


def _space(name: str, code: str, ref: str) -> None:
    try:
        registry.get_offered(name)
    except registry.UnknownSpace as error:
        raise Refused(code, str(error), ref=ref) from None


def _words(error: Exception) -> str:
    return str(error.args[0]) if error.args else ""


def _may_be_seen(view: Glance, seat: int, turn: int) -> bool:
    """Whether pieces of the seat's answer may be shown.

    A turn in which several seats decide at once is sealed (`spaces.space.Decision`): its pieces
    would tell the others. `done` decisions count, since they are sealed until the turn is over.
    """
    if view.status != "live" or view.turn != turn or len(view.decisions) != 1:
        return False
    [decision] = view.decisions
    return decision.seat == seat and not decision.done
