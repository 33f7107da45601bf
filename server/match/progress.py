"""How far a session has come: the fold of its events.

Live play and restoring from a log change a `Progress` only through `fold`, so a host that takes over
stands exactly where the last one stood.
"""

from __future__ import annotations

from typing import Any, Literal

from server.live.records import LogEvent, SessionRecord
from server.match.decision import MAX_ATTEMPTS, Asked, Open
from spaces import registry
from spaces.seed import Streams
from spaces.space import Decision, Inquiry, Observation, Space


class UnknownRules(LookupError):
    """The session was formed under rules that this program does not have."""


class Progress:
    """Everything of a session that follows from its record and its events so far."""

    def __init__(self, record: SessionRecord, retry_ms: int) -> None:
        """Before the first event."""
        self.failure: Exception | None = None
        """What the rules raised, when they broke: from then on `space` and `state` mean nothing."""
        self.space: Space[Any, Any, Any]
        self.state: Any = None
        self.streams = Streams(record.seed)
        self.offset = 0
        """Of the next event."""
        self.t = 0
        """Of the last event, milliseconds since the session was opened; never goes back."""
        self.turn = 0
        self.open: dict[int, Open] = {}
        """The decisions of this turn by seat, also those that are done."""
        self.sealed: dict[int, dict[str, Any]] = {}
        """Sealed actions of this turn by seat, until they are revealed."""
        self.asked = 0
        """Number of the last inquiry; 0 before the first."""
        self.inquiry: Asked | None = None
        self.notes = 0
        """How many of the state's notes the log holds."""
        self.annotations: list[dict[str, Any]] = []
        self.acts: set[tuple[int, str]] = set()
        """(seat, act) of every action that was accepted or was a fault."""
        self.status: Literal["live", "ended", "void"] = "live"
        self.outcome: dict[str, Any] | None = None
        self.digest: str | None = None
        self._decided: tuple[Any, tuple[Decision, ...]] | None = None
        self._opened_ms = record.opened_ms
        self._retry_ms = retry_ms
        try:
            self._start(record)
        except Exception as error:  # any: the rules broke, or are not ours
            self.failure = error

    def _start(self, record: SessionRecord) -> None:
        try:
            self.space = registry.get(record.space)
        except registry.UnknownSpace as error:
            raise UnknownRules(f"space {record.space!r} is not known") from error
        if self.space.rules != record.rules:
            ours = self.space.rules
            raise UnknownRules(f"rules {record.rules!r} are not known, ours are {ours!r}")
        self.state = self.space.initial(self.space.params(record.params), self.streams)

    def decisions(self) -> tuple[Decision, ...]:
        """What the rules want decided in this state; asked once a state, since every turn needs it
        several times."""
        if self._decided is None or self._decided[0] is not self.state:
            self._decided = (self.state, self.space.decisions(self.state))
        return self._decided[1]

    def pending(self) -> list[Open]:
        """The decisions that still wait for an answer, in seat order."""
        return [each for _, each in sorted(self.open.items()) if not each.done]

    def fold(self, event: LogEvent, state: Any = None) -> None:
        """Go past `event`. `state` is the state after it, when the caller has it at hand.

        Raises what the rules raise.
        """
        self.offset += 1
        before_t, self.t = self.t, event.t
        if event.act is not None:
            self.acts.add((_seat(event), event.act))
        match event.type:
            case "end" | "void":
                self.status = "ended" if event.type == "end" else "void"
                self.outcome = event.body
                self.open = {}
                self.inquiry = None
            case "annotation":
                self.annotations.append(event.body)
            case "digest":
                self.digest = event.body["digest"]
            case _ if self.failure is None:
                self._fold_play(event, state, before_t)
            case _:
                pass

    def _fold_play(self, event: LogEvent, state: Any, before_t: int) -> None:
        match event.type:
            case "turn":
                self._fold_turn(event, before_t)
            case "action":
                self._fold_action(event, state)
            case "fault":
                self._fold_fault(event)
            case "forfeit":
                seat = event.body["seat"]
                forfeit = self.space.forfeit
                self.state = forfeit(self.state, seat, self.streams) if state is None else state
                self.open[seat] = self.open[seat].finished()
            case "reveal":
                self.sealed = {}
            case "inquiry":
                self._fold_inquiry(event.body)
            case "oracle":
                self._fold_oracle(event.body, state)
            case "note":
                self.notes += 1
            case _:  # `open`, `deadline`, and what workers append later, change nothing here
                pass

    def _fold_turn(self, event: LogEvent, before_t: int) -> None:
        body, opened_ms = event.body, self._opened_ms + event.t
        deadlines = {each["seat"]: each["deadline_ms"] for each in body["decisions"]}
        if body["turn"] == self.turn:  # told again, with fresh time
            for seat, deadline_ms in deadlines.items():
                # What a seat had surely thought before stays counted: else each outage would hand
                # its time back, where time decides.
                spent_ms = self.open[seat].elapsed_ms(self._opened_ms + before_t)
                self.open[seat] = self.open[seat].anew(deadline_ms, opened_ms - spent_ms)
            return
        self.turn = body["turn"]
        self.open = {
            decision.seat: Open(decision, deadlines[decision.seat], opened_ms)
            for decision in self.decisions()
        }

    def _fold_inquiry(self, body: dict[str, Any]) -> None:
        inquiry: Inquiry | None = self.space.inquiry(self.state)
        assert inquiry is not None, "the rules ask no oracle"
        self.asked = body["number"]
        self.inquiry = Asked(self.asked, inquiry, body["opens_ms"], body["deadline_ms"])
        self.open = {}

    def _fold_oracle(self, body: dict[str, Any], state: Any) -> None:
        if state is None:
            observation = Observation(body["source"], body["value"])
            state = self.space.learn(self.state, observation, self.streams)
        self.state = state
        self.inquiry = None

    def _fold_action(self, event: LogEvent, state: Any) -> None:
        seat = _seat(event)
        if state is None:
            action = self.space.decode_action(event.body["action"])
            state = self.space.apply(self.state, seat, action, self.streams)
        self.state = state
        self.open[seat] = self.open[seat].finished()
        if event.secret_to is not None:
            self.sealed[seat] = event.body["action"]

    def _fold_fault(self, event: LogEvent) -> None:
        seat, body = _seat(event), event.body
        if body["attempt"] < MAX_ATTEMPTS:
            self.open[seat] = self.open[seat].faulted(
                body["reason"],
                self._opened_ms + event.t,
                self._retry_ms,
                hidden=event.secret_to is not None,
            )


def _seat(event: LogEvent) -> int:
    return int(event.by.removeprefix("seat:"))
