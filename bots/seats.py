"""The sessions an agent sits in: follow each, play its decisions, report its end.

Each decision is a task of its own, so a slow one holds up nothing; hooks run one after another.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import msgspec

from bots import narrate
from bots.answer import ActFailed, Calls
from bots.bot import Bot
from bots.duties import Duties, Duty, still_open
from bots.journal import Say
from bots.signing import Played, Signing
from bots.turn import Result, Turn, Writer, result_of
from server.protocol import Abandon, Act, OpenDecision, SessionView

RESULTS_KEPT = 1_000


class Wire(Protocol):
    """What seats need of a `bots.client.Client`."""

    def request(self, request: Act | Abandon) -> None: ...
    def follow(self, channel: str) -> None: ...
    def unfollow(self, channel: str) -> None: ...
    def write(self, session: str, turn: int, piece: str) -> None: ...
    def restart(self, session: str, turn: int) -> None: ...
    def arena_ms(self) -> int: ...


class _Seat:
    def __init__(self) -> None:
        self.number: int | None = None
        """Which seat is ours; None until a live view said so."""
        self.over = False
        self.played = Played()
        self.duty: Duty | None = None
        self.task: asyncio.Task[None] | None = None


class Seats:
    """Takes the views of the sessions that were `sit` in."""

    def __init__(
        self,
        bot: Bot,
        wire: Wire,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        on_over: Callable[[str, bool], None],
        say: Say,
        on_abandon: Callable[[], None] | None = None,
        signing: Signing | None = None,
    ) -> None:
        """`spawn` starts a task that somebody owns; `on_over(session, counts)` is told of each end,
        where `counts` is False for void sessions and for those that were over when first seen.
        `on_abandon` is given where the arena hosts the bot: it is told of each session that is
        abandoned since the bot failed. None: a failure is left to the deadline. With `signing` each session is signed when
        it is over.
        """
        self._signing = signing
        self._signatures: set[asyncio.Task[None]] = set()
        self._bot = bot
        self._wire = wire
        self._spawn = spawn
        self._on_over = on_over
        self._say = say
        self._on_abandon = on_abandon
        self._calls = Calls(bot.act, say)
        self._duties = Duties()
        self._seats: dict[str, _Seat] = {}
        self._hooks: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.results: deque[Result] = deque(maxlen=RESULTS_KEPT)

    def __contains__(self, session: str) -> bool:
        return session in self._seats

    def __len__(self) -> int:
        """Sessions that are followed: live ones, and those whose verdict is awaited."""
        return len(self._seats)

    def sit(self, session: str) -> None:
        self._seats[session] = _Seat()
        self._wire.follow(f"session:{session}")

    def leave(self, session: str) -> None:
        """Follow no longer, play no more."""
        seat = self._seats.pop(session, None)
        if seat is not None:
            self._drop_duty(seat)
            self._duties.forget(session)
            self._wire.unfollow(f"session:{session}")

    def leave_all(self) -> None:
        for session in list(self._seats):
            self.leave(session)

    def take(self, view: SessionView) -> None:
        """The newest view of a session."""
        seat = self._seats.get(view.session)
        if seat is None:
            return
        if view.status != "live":
            self._take_end(seat, view)
            return
        if view.you is None:
            return  # the public's view: none of our seat's business is in it
        first, seat.number = seat.number is None, view.you
        if first:
            self._say(narrate.seated(view))
            self._hook("on_seated", view)
        self._hook("on_update", view)
        if seat.duty is not None and not still_open(view, seat.duty):
            self._drop_duty(seat)
        due = self._duties.due(view)
        if due is not None:
            self._drop_duty(seat)
            seat.duty, decision = due
            seat.task = self._spawn(self._play(self._turn(seat.duty, decision, view)))

    # ------------------------------------------------------------------ the end

    def _take_end(self, seat: _Seat, view: SessionView) -> None:
        # What follows a match is written by workers, who know the public view only.
        view = msgspec.structs.replace(view, you=seat.number)
        result = result_of(view)
        if result is None:  # it was over before we saw it live: nothing was played
            self._on_over(view.session, False)
            self.leave(view.session)
            return
        if not seat.over:
            seat.over = True
            self._drop_duty(seat)
            self._say(narrate.over(result))
            self.results.append(result)
            self._hook("on_end", result)
            self._sign(view.session, seat)
            self._on_over(view.session, view.status == "ended")
        if view.verdict is not None:
            self._say(narrate.verdict(result))
            self._replace(result)
            self._hook("on_verdict", result)
        if not verdict_may_come(view):
            self.leave(view.session)

    def _sign(self, session: str, seat: _Seat) -> None:
        if self._signing is None or seat.number is None:
            return
        task = self._spawn(self._signing.sign(session, seat.number, seat.played))
        self._signatures.add(task)
        task.add_done_callback(self._signatures.discard)

    async def signed(self) -> None:
        """Returns when all that can be signed is, or was refused: in seconds."""
        if self._signatures:
            await asyncio.wait(self._signatures)

    def accepted(self, session: str, act_id: str) -> None:
        """The arena has taken what was sent under this id."""
        if self._signing is not None and self._signing.answered(act_id):
            self._say(f"{session}  signed")
        elif session in self._seats:
            self._seats[session].played.accepted(act_id)

    def rejected(self, act_id: str) -> None:
        if self._signing is not None:
            self._signing.answered(act_id)

    def _replace(self, result: Result) -> None:
        for index, old in enumerate(self.results):
            if old.session == result.session:
                self.results[index] = result

    # ------------------------------------------------------------------ a decision

    def _turn(self, duty: Duty, decision: OpenDecision, view: SessionView) -> Turn:
        return Turn(
            session=duty.session,
            space=view.space,
            turn=duty.turn,
            seat=duty.seat,
            kind=decision.kind,
            view=view.state,
            prompt=view.prompt or "",
            attempt=duty.attempt,
            fault=decision.fault,
            deadline_ms=decision.deadline_ms,
            seats=tuple(view.seats),
            arena_ms=self._wire.arena_ms,
            writer=self._writer(duty),
        )

    async def _play(self, turn: Turn) -> None:
        """Get the author's answer and submit it. Cancelled when the decision is gone."""
        duty = Duty(turn.session, turn.turn, turn.seat, turn.attempt)
        try:
            text = await self._calls.answer(turn)
            if turn.session in self._seats:
                self._seats[turn.session].played.sent(duty.act_id, duty.turn, text)
            self._wire.request(Act(id=duty.act_id, session=duty.session, turn=duty.turn, text=text))
        except ActFailed as failed:
            if self._on_abandon is None:
                self._say(f"{turn.session}  no {turn.kind}: {failed}")
                return
            reason = failed.public_reason
            self._say(f"{turn.session}  no {turn.kind}, abandoned: {reason}")
            self._wire.request(
                Abandon(id=duty.act_id, session=duty.session, turn=duty.turn, reason=reason)
            )
            self._on_abandon()
        except ValueError as error:
            self._say(f"{turn.session}  no {turn.kind}: {error}")
        else:
            self._say(narrate.acted(turn, text))

    def _drop_duty(self, seat: _Seat) -> None:
        if seat.task is not None:
            seat.task.cancel()
        seat.task = seat.duty = None

    def _writer(self, duty: Duty) -> Writer:
        loop = asyncio.get_running_loop()

        def write(piece: str | None) -> None:
            seat = self._seats.get(duty.session)
            if seat is None or seat.duty != duty or seat.task is None or seat.task.done():
                return  # too late: answered, or the decision is gone
            if piece is None:
                self._wire.restart(duty.session, duty.turn)
            else:
                self._wire.write(duty.session, duty.turn, piece)

        def from_any_thread(piece: str | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(write, piece)

        return from_any_thread

    # ------------------------------------------------------------------ hooks

    def _hook(self, name: str, argument: Any) -> None:
        if getattr(type(self._bot), name) is not getattr(Bot, name):
            self._hooks.put_nowait((name, argument))

    async def run_hooks(self) -> None:
        """Call hooks as they come, until cancelled."""
        while True:
            name, argument = await self._hooks.get()
            try:
                await self._calls.hook(getattr(self._bot, name), argument)
            finally:
                self._hooks.task_done()

    async def hooks_done(self) -> None:
        """Returns when every hook so far has returned."""
        await self._hooks.join()


def verdict_may_come(view: SessionView) -> bool:
    """Whether judges owe this ended session a verdict that has neither come nor failed."""
    if view.status != "ended" or view.verdict is not None:
        return False
    if (view.outcome or {}).get("returns") is not None:
        return False
    return not any(step.state == "failed" for step in view.steps)
