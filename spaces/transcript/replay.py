"""Is a transcript true? Every hash is computed again and every entry is played again by the rules.

What cannot be checked here: that the host told of every fault and deadline (agents can: they hold
their acks), that the clock values are right (only that they do not contradict each other), what an oracle said (its source can be looked up), what
annotations say (they are commentary, no part of the rules), the signature (`chain`), and who sat
where before the salts are published (`agon-result/1`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from spaces.seed import Streams
from spaces.space import (
    ActionError,
    InvalidObservation,
    InvalidParams,
    Observation,
    Outcome,
    Space,
)
from spaces.transcript.annotations import InvalidAnnotation, check_annotations
from spaces.transcript.bodies import (
    Action,
    Fault,
    OfSeat,
    Oracle,
    Reveal,
    Void,
    by_host,
    by_oracle,
    read_body,
    same,
    seat_of,
)
from spaces.transcript.checks import check_hashes, check_header, playing
from spaces.transcript.document import Entry, Transcript, TranscriptError, digest_of
from spaces.transcript.listener import Attempt, Listener
from spaces.transcript.notes import Notes
from spaces.transcript.observations import as_kept
from spaces.transcript.seal import VOID, outcome_body
from spaces.transcript.timing import Clock, keeps_time
from spaces.transcript.turns import Turn


class Replayed(msgspec.Struct, frozen=True):
    """What a transcript that holds says."""

    outcome: Outcome
    """Termination `void` when the session was voided."""
    state: Any
    """The Space's last state."""
    space: Space[Any, Any, Any]
    digest: str


def replay(transcript: Transcript, listener: Listener | None = None) -> Replayed:
    """Check a transcript and play it again. Raises TranscriptError naming the entry and the fact.

    `listener` is told of every attempt at a decision, with the state before it.
    """
    space = check_header(transcript)
    check_hashes(transcript)
    with playing(space):
        return _Player(transcript, space, listener).play()


class _Player:
    """Plays the entries of one transcript in order."""

    def __init__(
        self, transcript: Transcript, space: Space[Any, Any, Any], listener: Listener | None
    ) -> None:
        self._transcript = transcript
        self._space = space
        self._listener = listener
        self._streams = Streams(bytes.fromhex(transcript.seed))
        self._turn: Turn | None = None
        self._clock = Clock(transcript)
        self._notes = Notes()
        self._answered = 0
        """Inquiries that the oracle has answered."""
        self._annotations: list[dict[str, Any]] = []
        self._ended: Outcome | None = None
        try:
            self._state = space.initial(space.params(transcript.params), self._streams)
        except InvalidParams as error:
            raise TranscriptError(str(error)) from None

    def play(self) -> Replayed:
        entries = self._transcript.entries
        if not entries:
            raise TranscriptError("no entries")
        self._open(entries[0])
        self._clock.passed(entries[0])
        handlers: dict[str, Callable[[Entry], None]] = {
            "action": self._action,
            "fault": self._fault,
            "deadline": self._deadline,
            "forfeit": self._forfeit,
            "reveal": self._reveal,
            "oracle": self._oracle,
            "note": self._note,
            "end": self._end,
            "void": self._void,
            "annotation": self._annotation,
        }
        self._notes.reached(self._space.notes(self._state))
        for entry in entries[1:]:
            if self._ended is not None and entry.type != "annotation":
                raise TranscriptError(f"{entry.type} after the session was over", entry.i)
            if entry.type not in handlers:
                raise TranscriptError(f"type {entry.type!r} has no place here", entry.i)
            handlers[entry.type](entry)
            self._clock.passed(entry)
        return self._verdict()

    def _verdict(self) -> Replayed:
        if self._ended is None:
            raise TranscriptError("the entries end before the session does")
        if self._ended != self._transcript.outcome:
            raise TranscriptError("outcome is not what the entries lead to")
        return Replayed(self._ended, self._state, self._space, digest_of(self._transcript))

    def _open(self, entry: Entry) -> None:
        if entry.type != "open":
            raise TranscriptError(f"the first entry is {entry.type!r}, not 'open'", 0)
        by_host(entry)
        header = {
            "rules": self._transcript.rules,
            "params": self._transcript.params,
            "seats": msgspec.to_builtins(self._transcript.seats),
            "seed_commit": self._transcript.seed_commit,
        }
        if not same(entry.body, header):
            raise TranscriptError("open says something else than the header", 0)

    def _at(self, entry: Entry, number: int) -> Turn:
        """The turn that an entry names: the one that goes on, or the next one."""
        turn = self._turn
        if turn is not None and turn.number == number and not turn.closed:
            return turn
        if turn is not None:
            if not turn.closed:
                raise TranscriptError(f"turn {number} while turn {turn.number} is open", entry.i)
            if turn.owes_reveal:
                raise TranscriptError(f"turn {turn.number} was not revealed", entry.i)
            if number != turn.number + 1:
                raise TranscriptError(f"turn {number} follows turn {turn.number}", entry.i)
        decisions = self._space.decisions(self._state)
        if not decisions:
            asked = self._space.inquiry(self._state) is not None
            why = "while the oracle is asked" if asked else "although the rules ended the session"
            raise TranscriptError(f"{entry.type} {why}", entry.i)
        self._notes.check_told(entry)
        self._turn = Turn(number, decisions, self._clock.t)
        return self._turn

    def _close_if_complete(self, turn: Turn) -> None:
        if turn.complete:
            self._close(turn)

    def _close(self, turn: Turn) -> None:
        self._state = turn.close(self._space, self._state, self._streams)
        self._notes.reached(self._space.notes(self._state))

    def _check_turn_over(self, entry: Entry, turn: Turn | None) -> None:
        """Nothing of the turn is owed any more. A forfeit that ends the session while other seats
        still owe ends it before the reveal."""
        if turn is not None and turn.owes_reveal and not turn.has_forfeits:
            raise TranscriptError(f"turn {turn.number} was not revealed", entry.i)

    def _action(self, entry: Entry) -> None:
        body, seat = read_body(entry, Action), seat_of(entry)
        turn = self._at(entry, body.turn)
        decision = turn.decision(entry.i, seat)
        if body.kind != decision.kind:
            raise TranscriptError(f"a {body.kind!r} where a {decision.kind!r} is due", entry.i)
        action = self._read_action(entry, body)
        turn.act(entry.i, seat, action)
        self._tell(turn, seat, action=action, raw=body.raw)
        self._clock.decided(entry, turn.since, decision, body.elapsed_ms or 0)
        if decision.sealed:
            self._check_place(entry, body.turn, seat)
        self._close_if_complete(turn)

    def _read_action(self, entry: Entry, body: Action) -> Any:
        """The action, which must have the one form in which we write it, and agree with the words."""
        try:
            action = self._space.decode_action(body.action)
            if not same(self._space.encode_action(action), body.action):
                raise TranscriptError("the action is not in its canonical form", entry.i)
            if (body.elapsed_ms is not None) != keeps_time(self._space):
                raise TranscriptError("elapsed_ms is for Spaces that keep time", entry.i)
            elapsed_ms = body.elapsed_ms or 0
            if self._space.stamp(action, elapsed_ms) != action:
                raise TranscriptError(f"the action did not take {elapsed_ms} ms", entry.i)
            if body.raw is not None:
                said = self._space.parse(body.kind, body.raw)
                if self._space.stamp(said, elapsed_ms) != action:
                    raise TranscriptError("the action is not what raw says", entry.i)
        except ActionError as error:
            raise TranscriptError(str(error), entry.i) from None
        if body.raw is None and self._space.decided_by == "judges":
            raise TranscriptError("an action for judges without the raw reply", entry.i)
        return action

    def _check_place(self, entry: Entry, turn: int, seat: int) -> None:
        """A sealed action is followed by one of a higher seat, or by what unsealed it."""
        following = self._transcript.entries[entry.i + 1 : entry.i + 2]
        for after in following:
            if after.type in ("end", "void", "note"):
                return
            if after.body.get("turn") == turn and (
                after.type == "reveal" or (after.type == "action" and seat_of(after) > seat)
            ):
                return
        raise TranscriptError("a sealed action stands apart from its reveal", entry.i)

    def _fault(self, entry: Entry) -> None:
        body = read_body(entry, Fault)
        turn, seat = self._at(entry, body.turn), seat_of(entry)
        turn.decision(entry.i, seat)
        self._tell(turn, seat, action=None, code=body.code, reason=body.reason)
        turn.fault(entry.i, seat, body.code, body.attempt, body.reason)

    def _tell(self, turn: Turn, seat: int, **what: Any) -> None:
        if self._listener is not None:
            number, told = turn.attempt(seat)
            attempt = Attempt(
                turn=turn.number,
                decision=turn.open[seat],
                number=number,
                state=self._state,
                told=told,
                **what,
            )
            self._listener.attempted(self._space, attempt)

    def _deadline(self, entry: Entry) -> None:
        by_host(entry)
        body = read_body(entry, OfSeat)
        self._at(entry, body.turn).decision(entry.i, body.seat)

    def _forfeit(self, entry: Entry) -> None:
        by_host(entry)
        body = read_body(entry, OfSeat)
        turn = self._at(entry, body.turn)
        turn.forfeit(entry.i, body.seat)
        self._close_if_complete(turn)

    def _reveal(self, entry: Entry) -> None:
        by_host(entry)
        body, turn = read_body(entry, Reveal), self._turn
        if turn is None or body.turn != turn.number or turn.revealed or not turn.closed:
            raise TranscriptError(f"nothing to reveal in turn {body.turn}", entry.i)
        actions = [
            {"seat": seat, "action": self._space.encode_action(action)}
            for seat, action in turn.sealed
        ]
        if not same(body.actions, actions):
            raise TranscriptError("reveal differs from the sealed actions", entry.i)
        turn.revealed = True

    def _oracle(self, entry: Entry) -> None:
        by_oracle(entry)
        body, turn = read_body(entry, Oracle), self._turn
        if turn is not None and (not turn.closed or turn.owes_reveal):
            raise TranscriptError(f"turn {turn.number} is not over", entry.i)
        self._notes.check_told(entry)
        inquiry = self._space.inquiry(self._state)
        if inquiry is None:
            raise TranscriptError("an answer of the oracle, which nobody asked", entry.i)
        if body.number != self._answered + 1:
            raise TranscriptError(
                f"answer {body.number} of the oracle follows {self._answered}", entry.i
            )
        if body.kind != inquiry.kind:
            raise TranscriptError(f"a {body.kind!r} where a {inquiry.kind!r} was asked", entry.i)
        try:
            observation = as_kept(Observation(body.source, body.value))
            self._state = self._space.learn(self._state, observation, self._streams)
        except InvalidObservation as error:
            raise TranscriptError(f"the rules refuse the observation: {error}", entry.i) from None
        self._answered = body.number
        self._notes.reached(self._space.notes(self._state))

    def _note(self, entry: Entry) -> None:
        by_host(entry)
        turn = self._turn
        if turn is not None and not turn.closed:
            self._close(turn)
            if self._space.outcome(self._state) is None:
                raise TranscriptError(f"a note while turn {turn.number} goes on", entry.i)
        self._check_turn_over(entry, turn)
        self._notes.tell(entry)

    def _end(self, entry: Entry) -> None:
        by_host(entry)
        turn = self._turn
        if turn is not None and not turn.closed:
            self._close(turn)
        self._check_turn_over(entry, turn)
        outcome = self._space.outcome(self._state)
        if outcome is None:
            raise TranscriptError("end although the rules go on", entry.i)
        self._notes.check_told(entry)
        if not same(entry.body, outcome_body(outcome)):
            raise TranscriptError(f"end differs from the rules' {outcome_body(outcome)}", entry.i)
        self._ended = outcome

    def _void(self, entry: Entry) -> None:
        by_host(entry)
        read_body(entry, Void)
        if self._turn is not None and not self._turn.closed:
            self._close(self._turn)
        if self._space.outcome(self._state) is not None:
            raise TranscriptError("void although the rules ended the session", entry.i)
        self._ended = VOID

    def _annotation(self, entry: Entry) -> None:
        by_host(entry)
        if self._ended is None or self._ended == VOID:
            raise TranscriptError("an annotation of a session that has not ended", entry.i)
        self._annotations.append(entry.body)
        try:
            check_annotations(self._annotations)
        except InvalidAnnotation as error:
            raise TranscriptError(str(error), entry.i) from None
