"""One session under its Space's rules: turns, clocks, retries, forfeits, sealed actions, void.

Sans-I/O. After construction call `takeover`; then `receive` for every action and `tick` for the clock,
in this order, so that what has arrived counts before a deadline strikes. After each round read
`views`, take the events and replies and store them, and come back by `next_deadline`.

A `Match` never raises for what an agent sent, nor for rules that break: those are our fault and void
the session.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from server.live.records import Inbound, LogEvent, Reply, SessionRecord, ViewSet
from server.match.decision import MAX_ATTEMPTS, Open
from server.match.progress import Progress
from server.match.views import Views
from spaces.space import ActionError, InvalidAction, Outcome

MAX_REASON_CHARS = 500
"""Of a fault: a reason may quote what the agent sent."""
LATE = "no answer in time"
RULES_BROKE = "the arena failed to apply the rules"


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
    def changed(self) -> bool:
        """There are events to take."""
        return bool(self._events)

    def next_deadline(self) -> int | None:
        """Unix milliseconds at which `tick` has something to do; None: no decision is open."""
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
        fresh time."""
        if self.finished:
            return
        if self.failure is not None:
            self.void(RULES_BROKE, now_ms)
        elif self.turn == 0:
            self._guarded(now_ms, self._start_turn)
        else:
            self._tell_turn(
                now_ms,
                [
                    each.until(now_ms + each.fresh_ms(self._retry_ms))
                    for each in self._progress.pending()
                ],
            )

    def receive(self, now_ms: int, inbound: Inbound) -> None:
        """An action arrived, or word that a seat's host has failed, which voids the session.

        Deadlines are struck by `tick` alone: what is here before, is in time. A copy of an action that has had its event is ignored: its answer is in the log.
        """
        if (inbound.seat, inbound.act) in self._progress.acts:
            return
        refusal = self._refusal(inbound)
        if refusal is None and inbound.abandon:
            reason = f"seat {inbound.seat} could not be played: {inbound.text}"
            self.void(reason[:MAX_REASON_CHARS], now_ms)
        elif refusal is None:
            self._guarded(now_ms, lambda now_ms: self._answer(now_ms, inbound))
            if self._progress.status == "void":
                refusal = ("over", "the session is void")
        if refusal is not None:
            self._refuse(inbound, *refusal)

    def tick(self, now_ms: int) -> None:
        """Strike every deadline that has passed. All late seats are dealt with before the rules are
        asked what follows, so that it does not matter which of them is dealt with first."""
        deadline = self.next_deadline()
        if deadline is not None and deadline <= now_ms:
            self._guarded(now_ms, self._strike)

    def void(self, reason: str, now_ms: int) -> None:
        """Our fault: the session counts for nothing. Harmless when it is over."""
        if not self.finished:
            self._emit(now_ms, "host", "void", {"reason": reason})

    def seal(self, digest: str, now_ms: int) -> None:
        """The transcript is kept; its digest is the last that hosts have to say."""
        assert self.finished, "only what has ended is sealed"
        self._emit(now_ms, "host", "digest", {"digest": digest})

    # ---------------------------------------------------------------------- answers

    def _refusal(self, inbound: Inbound) -> tuple[str, str] | None:
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
        try:
            action = space.parse(decision.kind, inbound.text)
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

    # ---------------------------------------------------------------------- turns

    def _advance(self, now_ms: int) -> None:
        """Something was decided: go on with this turn, or reveal it and begin the next, or end."""
        progress = self._progress
        due = {(each.seat, each.kind) for each in progress.decisions()}
        waiting = {(each.seat, each.decision.kind) for each in progress.pending()}
        if due and due <= waiting:
            return
        # A session that ends while seats still owe answers ends before the reveal.
        if progress.sealed and (due or not waiting):
            self._reveal(now_ms)
        if due:
            self._start_turn(now_ms)
        else:
            self._end(now_ms)

    def _end(self, now_ms: int) -> None:
        outcome: Outcome | None = self._progress.space.outcome(self._progress.state)
        if outcome is None:
            raise RuntimeError("the rules neither ask for a decision nor end the session")
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
        opened = [Open(each, now_ms + each.time_limit_ms) for each in self._progress.decisions()]
        self._tell_turn(now_ms, opened, self.turn + 1)

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
        # Hosts' clocks differ a little; time within a log never goes back.
        t = max(self._progress.t, now_ms - self.record.opened_ms)
        event = LogEvent(t, by, type_, body, secret_to, act)
        self._events.append(event)
        self._progress.fold(event, state)

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
