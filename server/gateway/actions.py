"""From an `act` to its answer: submit, wait for the event that carries its id, submit again.

The log is the acknowledgement. Whatever answers an action passes by in the feed: its `action` event,
its `fault` event, or a `Reply` when it did not become an event at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog
from prometheus_client import Counter

from server.agents import playing
from server.channel import Item
from server.gateway.connection import Peer
from server.gateway.fanout import Letters
from server.gateway.followed import Followed, Glance
from server.gateway.pending import Pending, TooMany, Waiting
from server.identity import Identity
from server.live.keys import session_channel
from server.live.records import Appended, Inbound, LogEvent, Reply
from server.protocol import (
    Abandon,
    Accepted,
    Act,
    Error,
    Rejected,
    ServerMessage,
    SessionView,
)

RESUBMIT_AT_ONCE = 64
_log = structlog.get_logger()


class Submitter(Protocol):
    """What is needed of `server.live.inbox.Inbox`."""

    async def submit(self, inbound: Inbound) -> bool: ...


class Actions:
    def __init__(
        self,
        name: str,
        inbox: Submitter,
        follow: Callable[[str], Awaitable[Followed | None]],
        followed: Callable[[str], Followed | None],
        answers: Counter,
    ) -> None:
        """`answers` counts what is answered, by `accepted` or the code of the refusal."""
        self._answers = answers
        self._name = name
        self._inbox = inbox
        self._follow = follow
        self._followed = followed
        self._pending: Pending[Peer] = Pending()
        self._loop = asyncio.get_running_loop()

    async def act(self, peer: Peer, player: Identity, act: Act | Abandon) -> ServerMessage | None:
        """Refuse at once, answer at once from the history, or submit; None: the answer comes later.

        Raises what the log and the inbox raise while Redis is away.
        """
        answer = await self._act(peer, player, act)
        if answer is not None:
            self._count(answer)
        return answer

    async def _act(self, peer: Peer, player: Identity, act: Act | Abandon) -> ServerMessage | None:
        followed = await self._follow(session_channel(act.session))
        view = None if followed is None else followed.session
        if followed is None or view is None:
            return _refused(act.id, act.session, "unknown-session", f"no session {act.session}")
        card = followed.seats.get(player.agent)
        if card is None:
            return _refused(
                act.id, act.session, "no-seat", "your agent has no seat in this session"
            )
        seat = card.seat
        refusal = playing.acting(card.kind, player)
        if refusal is not None:
            return _refused(act.id, act.session, refusal.code, refusal.reason)
        known = followed.live.history and followed.live.history.answer(f"seat:{seat}", act.id)
        if known:
            return _answer(act.id, act.session, *known, followed)
        if view.status != "live":
            return _refused(act.id, act.session, "over", "the session is over")
        inbound = _inbound(act, seat, self._name)
        try:
            fresh = self._pending.add(inbound, peer, self._loop.time())
        except TooMany as error:
            return Error("busy", str(error), retry_after_ms=1_000, ref=act.id)
        if fresh:
            followed.holds += 1
            # False (nobody leases the session now) is left to the next attempt.
            await self._inbox.submit(inbound)
        return None

    def _count(self, answer: ServerMessage) -> None:
        if isinstance(answer, Accepted | Rejected):
            code = answer.code if isinstance(answer, Rejected) else "accepted"
            self._answers.labels(code).inc()

    def passed(self, followed: Followed, item: Item) -> Letters:
        """The answers that an item of a session's channel brings."""
        view = followed.session
        if not isinstance(item, Appended) or view is None or not len(self._pending):
            return []
        letters: Letters = []
        for offset, event in enumerate(item.events, item.first):
            if event.act is None or not event.by.startswith("seat:"):
                continue
            seat = int(event.by.removeprefix("seat:"))
            waiting = self._take(followed, view.session, seat, event.act)
            if waiting is not None:
                answer = _answer(event.act, view.session, offset, event, followed)
                self._count(answer)
                letters += [(peer, answer) for peer in waiting.askers]
        if view.status != "live":
            letters += self._over(followed, view, item.first + len(item.events) - 1)
        return letters

    def _over(self, followed: Followed, view: Glance, offset: int) -> Letters:
        """The session has ended: what was not answered by now never will be. Who wanted it void and
        finds it so has what he asked for."""
        letters: Letters = []
        for waiting in self._pending.of(view.session):
            inbound = waiting.inbound
            self._take(followed, inbound.session, inbound.seat, inbound.act)
            answer: ServerMessage = Accepted(inbound.act, inbound.session, offset)
            if not (inbound.abandon and view.status == "void"):
                answer = _refused(inbound.act, inbound.session, "over", "the session is over")
            self._count(answer)
            letters += [(peer, answer) for peer in waiting.askers]
        return letters

    def replied(self, reply: Reply) -> None:
        """A host has refused an action without an event."""
        followed = self._followed(session_channel(reply.session))
        answer = _refused(reply.act, reply.session, reply.code, reply.reason)
        for waiting in self._pending.of(reply.session):
            if waiting.inbound.act == reply.act and reply.seat in (-1, waiting.inbound.seat):
                self._take(followed, reply.session, waiting.inbound.seat, reply.act)
                self._count(answer)
                for peer in waiting.askers:
                    peer.say(answer)

    def _take(
        self, followed: Followed | None, session: str, seat: int, act: str
    ) -> Waiting[Peer] | None:
        waiting = self._pending.answered(session, seat, act)
        if waiting is not None and followed is not None:
            followed.holds -= 1
        return waiting

    async def again(self) -> None:
        """Submit once more what is unanswered, and give up on what has been for too long.

        To be called a few times a second. Raises what the inbox raises.
        """
        now = self._loop.time()
        for waiting in self._pending.expired(now):
            inbound = waiting.inbound
            followed = self._followed(session_channel(inbound.session))
            if followed is not None:
                followed.holds -= 1
            _log.warning("action unanswered", session=inbound.session, act=inbound.act)
            for peer in waiting.askers:
                peer.say(
                    Error(
                        "unavailable",
                        "no host has answered; send the same id again",
                        retry_after_ms=1_000,
                        ref=inbound.act,
                    )
                )
        due = self._pending.due(now)
        for at in range(0, len(due), RESUBMIT_AT_ONCE):
            await self._submit_all(due[at : at + RESUBMIT_AT_ONCE])

    async def _submit_all(self, inbounds: Sequence[Inbound]) -> None:
        await asyncio.gather(*(self._inbox.submit(inbound) for inbound in inbounds))


def _inbound(request: Act | Abandon, seat: int, gateway: str) -> Inbound:
    abandon = isinstance(request, Abandon)
    text = request.reason if isinstance(request, Abandon) else request.text
    return Inbound(request.session, seat, request.id, request.turn, text, gateway, abandon)


def _answer(
    act: str, session: str, offset: int, event: LogEvent, followed: Followed
) -> ServerMessage:
    """What the event that carries an action's id says about it."""
    if event.type != "fault":
        return Accepted(id=act, session=session, offset=offset)
    retry = _retry(event, followed)
    return Rejected(
        id=act,
        session=session,
        code=str(event.body.get("code", "illegal")),
        reason=str(event.body.get("reason", "")),
        attempt=0 if retry is None else 2,
        deadline_ms=retry or 0,
    )


def _retry(fault: LogEvent, followed: Followed) -> int | None:
    """The deadline of the second attempt, if the seat still has one in the turn of the fault.

    The public view hides that a sealed decision was refused once; the seat's own does not.
    """
    history = followed.live.history
    seat = int(fault.by.removeprefix("seat:"))
    view = None if history is None else history.views.view(seat)
    if not isinstance(view, SessionView) or fault.body.get("turn") != view.turn:
        return None
    for decision in view.decisions:
        if decision.seat == seat and decision.attempt == 2 and not decision.done:
            return decision.deadline_ms
    return None


def _refused(act: str, session: str, code: str, reason: str) -> Rejected:
    return Rejected(id=act, session=session, code=code, reason=reason)
