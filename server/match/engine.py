"""One session under its Space's rules: turns, clocks, retries, forfeits, sealed actions, inquiries,
notes, void.

Sans-I/O. After construction call `takeover`; then `receive` for every action, `learn` for every answer
of the oracle and `tick` for the clock, in this order, so that what has arrived counts before a
deadline strikes. After each round read `views`, take the events and replies and store them, ask the
oracle what `inquiry` says, and come back by `next_deadline`.

A `Match` never raises for what an agent sent, nor for rules that break: those are our fault and void
the session.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from server.live.records import Inbound, LogEvent, Reply, SessionRecord, ViewSet
from server.match.decision import MAX_ATTEMPTS, Asked, Open, capped
from server.match.progress import Progress
from server.match.views import Views
from spaces import canonical
from spaces.space import (
    ActionError,
    Inquiry,
    InvalidAction,
    InvalidObservation,
    Observation,
    Outcome,
)
from spaces.transcript.annotations import check_annotations
from spaces.transcript.observations import as_kept
from spaces.transcript.timing import keeps_time

MAX_REASON_CHARS = 500
"""Of a fault or a void: a reason may quote what an agent or an oracle sent."""
LATE = "no answer in time"
RULES_BROKE = "the arena failed to apply the rules"
NO_TIME_LEFT = "the answer would be known before the seats had time to give theirs"


class Match:
    """The authority over one session."""

    def __init__(
        self, record: SessionRecord, events: Sequence[LogEvent] = (), *, retry_ms: int
    ) -> None:
        """Stand where `events`, the whole log so far, lead to."""
        self.record = record
        self._retry_ms = retry_ms
        self._views = Views(record)
        self._events: list[LogEvent] = []
        self._replies: list[Reply] = []
        self._silence = "it was not asked"
        """Why the oracle has not answered yet."""
        self._progress = Progress(record, retry_ms)
        for event in events:
            try:
                self._progress.fold(event)
            except Exception as error:  # any: the rules broke, `takeover` voids
                self._progress.failure = error

    # ---------------------------------------------------------------------- what came of it

    @property
    def status(self) -> Literal["live", "ended", "void"]:
        return self._progress.status

    @property
    def finished(self) -> bool:
        """The rules, or a void, have ended it; what is left is sealing."""
        return self._progress.status != "live"

    @property
    def outcome(self) -> dict[str, Any]:
        """`{termination, returns}` or `{reason}`; empty while live."""
        return self._progress.outcome or {}

    @property
    def failure(self) -> Exception | None:
        """What the rules raised, if they broke; for our log only."""
        return self._progress.failure

    @property
    def offset(self) -> int:
        """Of the next event; those not yet taken are counted."""
        return self._progress.offset

    @property
    def played_ms(self) -> int:
        """From the opening to the last event."""
        return self._progress.t

    @property
    def turn(self) -> int:
        """Number of the current turn; 0 before the first."""
        return self._progress.turn

    @property
    def inquiry(self) -> Asked | None:
        """What the oracle owes an answer to now. Secret."""
        return self._progress.inquiry

    @property
    def state(self) -> Any:
        """The Space's own state. Secret while live."""
        return self._progress.state

    @property
    def changed(self) -> bool:
        """There are events to take."""
        return bool(self._events)

    def next_deadline(self) -> int | None:
        """Unix milliseconds at which `tick` has something to do; None: nobody owes anything."""
        asked = self._progress.inquiry
        if asked is not None:
            return asked.deadline_ms
        return min((each.deadline_ms for each in self._progress.pending()), default=None)

    def views(self) -> ViewSet:
        """What everybody sees now. Read it before `take_events`: showing the state may break, too,
        and then adds a `void`."""
        try:
            return self._views.of(self._progress)
        except Exception as error:  # any: the rules broke
            self._break(error, len(self._events), self._progress.t)
            return self._views.of(self._progress)

    def take_events(self) -> list[LogEvent]:
        """The events since the last call, in log order."""
        events, self._events = self._events, []
        return events

    def take_replies(self) -> list[Reply]:
        """The refusals since the last call that are no events."""
        replies, self._replies = self._replies, []
        return replies

    # ---------------------------------------------------------------------- what happens to it

    def takeover(self, now_ms: int) -> None:
        """A host has taken over, or an outage of ours is past: begin, or give every open decision
        and the oracle fresh time. Where the answer would be known before a seat had the time to
        give its own, the session is void: neither is its silence its fault nor its answer fair."""
        progress = self._progress
        if self.finished:
            return
        if self.failure is not None:
            self.void(RULES_BROKE, now_ms)
        elif progress.turn == progress.asked == 0:
            self._guarded(now_ms, self._go_on)
        elif progress.inquiry is not None:
            asked = progress.inquiry
            self._tell_inquiry(now_ms, asked.number, asked.inquiry, max(now_ms, asked.opens_ms))
        else:
            self._ask_seats(
                now_ms,
                [
                    each.anew(capped(each.decision, now_ms + each.fresh_ms(self._retry_ms)), now_ms)
                    for each in progress.pending()
                ],
            )

    def receive(self, now_ms: int, inbound: Inbound) -> None:
        """An action arrived, or word that a seat's host has failed or that an admin has decided so, both
        of which void the session.

        Deadlines are struck by `tick` alone: what is here before, is in time, unless the world may have
        told the answer. A copy of an action that has had its event is ignored: its answer is in the log.
        """
        if inbound.void:
            self.void(inbound.text[:MAX_REASON_CHARS], now_ms)
            return
        if (inbound.seat, inbound.act) in self._progress.acts:
            return
        refusal = self._refusal(now_ms, inbound)
        if refusal is None and inbound.abandon:
            reason = f"seat {inbound.seat} could not be played: {inbound.text}"
            self.void(reason[:MAX_REASON_CHARS], now_ms)
        elif refusal is None:
            self._guarded(now_ms, lambda now_ms: self._answer(now_ms, inbound))
            if self._progress.failure is not None:
                refusal = ("over", "the session is void")
        if refusal is not None:
            self._refuse(inbound, *refusal)

    def learn(self, now_ms: int, number: int, observation: Observation) -> None:
        """The oracle has answered inquiry `number`. A second answer, and one that nobody waits for any
        more, is ignored. One that the rules refuse is our fault and voids the session."""
        asked = self.inquiry
        if self.finished or asked is None or asked.number != number:
            return
        try:
            kept = as_kept(observation)
            self._guarded(now_ms, lambda now_ms: self._hear(now_ms, asked, kept))
        except InvalidObservation as error:
            self._refuse_oracle(now_ms, error)

    def unanswered(self, number: int, reason: str) -> None:
        """The oracle could not answer, so far: what to say if it never does."""
        if self.inquiry is not None and self.inquiry.number == number:
            self._silence = reason

    def tick(self, now_ms: int) -> None:
        """Strike every deadline that has passed. All late seats are dealt with before the rules are
        asked what follows, so that it does not matter which of them is dealt with first."""
        deadline = self.next_deadline()
        if deadline is None or deadline > now_ms:
            return
        if self.inquiry is not None:
            self.void(f"the oracle did not answer: {self._silence}"[:MAX_REASON_CHARS], now_ms)
        else:
            self._guarded(now_ms, self._strike)

    def void(self, reason: str, now_ms: int) -> None:
        """Our fault: the session counts for nothing. Harmless when it is over."""
        if not self.finished:
            self._emit(now_ms, "host", "void", {"reason": reason})

    def annotate(self, bodies: Sequence[dict[str, Any]], now_ms: int) -> None:
        """Commentary on a session that has ended. Raises InvalidAnnotation."""
        assert self.status == "ended", "only what has ended is annotated"
        check_annotations(bodies)
        for body in bodies:
            self._emit(now_ms, "host", "annotation", body)

    def seal(self, digest: str, now_ms: int) -> None:
        """The transcript is kept; its digest is the last that hosts have to say."""
        assert self.finished, "only what has ended is sealed"
        self._emit(now_ms, "host", "digest", {"digest": digest})

    # ---------------------------------------------------------------------- answers

    def _refusal(self, now_ms: int, inbound: Inbound) -> tuple[str, str] | None:
        """Code and reason when the action answers no open decision."""
        seat, turn = inbound.seat, self.turn
        if not 0 <= seat < len(self.record.seats):
            return "no-seat", f"this session has no seat {seat}"
        if self.finished:
            return "over", f"the session is over ({self.status})"
        if inbound.turn != turn:
            return "stale-turn", f"turn {inbound.turn} was answered, the session is in turn {turn}"
        open_ = self._progress.open.get(seat)
        if open_ is None:
            return "not-your-turn", f"seat {seat} has nothing to decide in turn {turn}"
        if open_.done:
            return "not-your-turn", f"seat {seat} has answered turn {turn} already"
        if open_.too_late(self._log_ms(now_ms)) and not inbound.abandon:
            return "not-your-turn", f"the time of turn {turn} is over: its answer is known"
        return None

    def _refuse(self, inbound: Inbound, code: str, reason: str) -> None:
        self._replies.append(
            Reply(
                inbound.gateway,
                inbound.act,
                inbound.session,
                code=code,
                reason=reason,
                seat=inbound.seat,
            )
        )

    def _answer(self, now_ms: int, inbound: Inbound) -> None:
        progress = self._progress
        open_ = progress.open[inbound.seat]
        decision, space = open_.decision, progress.space
        elapsed_ms = open_.elapsed_ms(now_ms)
        try:
            action = space.stamp(space.parse(decision.kind, inbound.text), elapsed_ms)
            state = space.apply(progress.state, decision.seat, action, progress.streams)
        except ActionError as error:
            code = "unparsable" if isinstance(error, InvalidAction) else "illegal"
            self._fault(now_ms, open_, code, error.reason, inbound.act)
            if open_.attempt == MAX_ATTEMPTS:
                self._forfeit(now_ms, [open_])
            return
        body = {
            "turn": progress.turn,
            "kind": decision.kind,
            "action": space.encode_action(action),
        }
        if space.decided_by == "judges":
            body["raw"] = inbound.text
        if keeps_time(space):
            body["elapsed_ms"] = elapsed_ms
        secret_to = decision.seat if decision.sealed else None
        by = f"seat:{decision.seat}"
        self._emit(now_ms, by, "action", body, secret_to=secret_to, act=inbound.act, state=state)
        self._advance(now_ms)

    # ---------------------------------------------------------------------- faults

    def _strike(self, now_ms: int) -> None:
        late = [each for each in self._progress.pending() if each.deadline_ms <= now_ms]
        for each in late:
            body = {"turn": self.turn, "seat": each.seat}
            self._emit(now_ms, "host", "deadline", body)
            self._fault(now_ms, each, "late", LATE)
        out = [each for each in late if each.attempt == MAX_ATTEMPTS]
        if out:
            self._forfeit(now_ms, out)

    def _fault(
        self, now_ms: int, open_: Open, code: str, reason: str, act: str | None = None
    ) -> None:
        """`attempt` is the one that failed. What is wrong with a sealed action may tell of it, e.g.
        `a bid is 0 to 40, your chips, got 60`; that nothing came in time is plain to all."""
        body = {
            "turn": self.turn,
            "code": code,
            "reason": reason[:MAX_REASON_CHARS],
            "attempt": open_.attempt,
        }
        hidden = open_.decision.sealed and code != "late"
        secret_to = open_.seat if hidden else None
        self._emit(now_ms, f"seat:{open_.seat}", "fault", body, secret_to=secret_to, act=act)

    def _forfeit(self, now_ms: int, out: Sequence[Open]) -> None:
        for each in out:
            self._emit(now_ms, "host", "forfeit", {"turn": self.turn, "seat": each.seat})
        self._advance(now_ms)

    # ---------------------------------------------------------------------- the oracle

    def _hear(self, now_ms: int, asked: Asked, observation: Observation) -> None:
        progress = self._progress
        try:
            state = progress.space.learn(progress.state, observation, progress.streams)
        except InvalidObservation as error:
            self._refuse_oracle(now_ms, error)
            return
        body = {
            "number": asked.number,
            "kind": asked.inquiry.kind,
            "source": observation.source,
            "value": observation.value,
        }
        self._emit(now_ms, "oracle", "oracle", body, state=state)
        self._go_on(now_ms)

    def _refuse_oracle(self, now_ms: int, error: InvalidObservation) -> None:
        self.void(f"the oracle's answer was refused: {error}"[:MAX_REASON_CHARS], now_ms)

    def _tell_inquiry(self, now_ms: int, number: int, inquiry: Inquiry, opens_ms: int) -> None:
        self._silence = "it was not asked"
        body = {
            "number": number,
            "kind": inquiry.kind,  # and never `ask`, which may be drawn from the secret seed
            "opens_ms": opens_ms,
            "deadline_ms": opens_ms + inquiry.limit_ms,
        }
        self._emit(now_ms, "host", "inquiry", body)

    # ---------------------------------------------------------------------- turns

    def _advance(self, now_ms: int) -> None:
        """Something was decided: go on with this turn, or reveal it and go on from there."""
        progress = self._progress
        due = {(each.seat, each.kind) for each in progress.decisions()}
        waiting = {(each.seat, each.decision.kind) for each in progress.pending()}
        if due and due <= waiting:
            return
        # A session that ends while seats still owe answers ends before the reveal.
        goes_on = bool(due) or progress.space.outcome(progress.state) is None
        if progress.sealed and (goes_on or not waiting):
            self._reveal(now_ms)
        self._go_on(now_ms)

    def _go_on(self, now_ms: int) -> None:
        """What was going on is over: note it, then begin the next turn, ask the oracle, or end."""
        progress = self._progress
        for note in progress.space.notes(progress.state)[progress.notes :]:
            body = {"kind": note.kind, "body": note.body}
            canonical.encode(body)  # or it could never be sealed
            self._emit(now_ms, "host", "note", body)
        if progress.decisions():
            self._start_turn(now_ms)
            return
        inquiry = progress.space.inquiry(progress.state)
        if inquiry is None:
            self._end(now_ms)
            return
        opens_ms = now_ms + inquiry.delay_ms
        self._tell_inquiry(now_ms, progress.asked + 1, inquiry, opens_ms)

    def _end(self, now_ms: int) -> None:
        outcome: Outcome | None = self._progress.space.outcome(self._progress.state)
        if outcome is None:
            raise RuntimeError("the rules ask for nothing and do not end the session")
        returns = None if outcome.returns is None else list(outcome.returns)
        body = {"termination": outcome.termination, "returns": returns}
        self._emit(now_ms, "host", "end", body)

    def _reveal(self, now_ms: int) -> None:
        actions = [
            {"seat": seat, "action": action}
            for seat, action in sorted(self._progress.sealed.items())
        ]
        self._emit(now_ms, "host", "reveal", {"turn": self.turn, "actions": actions})

    def _start_turn(self, now_ms: int) -> None:
        opened = [
            Open(each, capped(each, now_ms + each.time_limit_ms), now_ms)
            for each in self._progress.decisions()
        ]
        self._ask_seats(now_ms, opened, self.turn + 1)

    def _ask_seats(self, now_ms: int, opened: Sequence[Open], turn: int | None = None) -> None:
        if any(each.has_no_time(self._log_ms(now_ms), self._retry_ms) for each in opened):
            self.void(NO_TIME_LEFT, now_ms)
        else:
            self._tell_turn(now_ms, opened, turn)

    def _tell_turn(self, now_ms: int, opened: Sequence[Open], turn: int | None = None) -> None:
        decisions = [
            {
                "seat": each.seat,
                "kind": each.decision.kind,
                "deadline_ms": each.deadline_ms,
                "attempt": each.seen_by(None)[1],
            }
            for each in opened
        ]
        body = {"turn": self.turn if turn is None else turn, "decisions": decisions}
        self._emit(now_ms, "host", "turn", body)

    # ---------------------------------------------------------------------- events

    def _emit(
        self,
        now_ms: int,
        by: str,
        type_: str,
        body: dict[str, Any],
        *,
        secret_to: int | None = None,
        act: str | None = None,
        state: Any = None,
    ) -> None:
        t = self._log_ms(now_ms) - self.record.opened_ms
        event = LogEvent(t, by, type_, body, secret_to, act)
        self._events.append(event)
        self._progress.fold(event, state)

    def _log_ms(self, now_ms: int) -> int:
        """The time of an event that happens now. Hosts' clocks differ a little; time within a log
        never goes back."""
        return max(self.record.opened_ms + self._progress.t, now_ms)

    def _guarded(self, now_ms: int, step: Callable[[int], None]) -> None:
        mark = len(self._events)
        try:
            step(now_ms)
        except Exception as error:  # any: the rules broke, which is never an agent's fault
            self._break(error, mark, now_ms - self.record.opened_ms)

    def _break(self, error: Exception, mark: int, t: int) -> None:
        """Void; the events of the step that broke are taken back."""
        self._progress.offset -= len(self._events) - mark
        del self._events[mark:]
        self._progress.failure = error
        self.void(RULES_BROKE, self.record.opened_ms + t)
