"""Is a transcript true? Every hash is computed again and every entry is played again by the rules.

What cannot be checked here: that the host told of every fault and deadline (agents can: they hold
their acks), that the clock values are right, the signature (`chain`), and who sat where before the
salts are published (`agon-result/1`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from spaces.seed import Streams
from spaces.space import ActionError, InvalidParams, Outcome, Space
from spaces.transcript.bodies import (
    Action,
    Fault,
    OfSeat,
    Reveal,
    Void,
    by_host,
    read_body,
    same,
    seat_of,
)
from spaces.transcript.checks import check_hashes, check_header
from spaces.transcript.document import Entry, Transcript, TranscriptError, digest_of
from spaces.transcript.seal import VOID, outcome_body
from spaces.transcript.turns import Turn


class Replayed(msgspec.Struct, frozen=True):
    """What a transcript that holds says."""

    outcome: Outcome
    """Termination `void` when the session was voided."""
    state: Any
    """The Space's last state."""
    space: Space[Any, Any, Any]
    digest: str


def replay(transcript: Transcript) -> Replayed:
    """Check a transcript and play it again. Raises TranscriptError naming the entry and the fact."""
    space = check_header(transcript)
    check_hashes(transcript)
    return _Player(transcript, space).play()


class _Player:
    """Plays the entries of one transcript in order."""

    def __init__(self, transcript: Transcript, space: Space[Any, Any, Any]) -> None:
        self._transcript = transcript
        self._space = space
        self._streams = Streams(bytes.fromhex(transcript.seed))
        self._turn: Turn | None = None
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
        handlers: dict[str, Callable[[Entry], None]] = {
            "action": self._action,
            "fault": self._fault,
            "deadline": self._deadline,
            "forfeit": self._forfeit,
            "reveal": self._reveal,
            "end": self._end,
            "void": self._void,
        }
        for entry in entries[1:]:
            if self._ended is not None:
                raise TranscriptError(f"{entry.type} after the session was over", entry.i)
            if entry.type not in handlers:
                raise TranscriptError(f"type {entry.type!r} has no place here", entry.i)
            handlers[entry.type](entry)
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
            raise TranscriptError(f"{entry.type} although the rules ended the session", entry.i)
        self._turn = Turn(number, decisions)
        return self._turn

    def _close_if_complete(self, turn: Turn) -> None:
        if turn.complete:
            self._close(turn)

    def _close(self, turn: Turn) -> None:
        self._state = turn.close(self._space, self._state, self._streams)

    def _action(self, entry: Entry) -> None:
        body, seat = read_body(entry, Action), seat_of(entry)
        turn = self._at(entry, body.turn)
        decision = turn.decision(entry.i, seat)
        if body.kind != decision.kind:
            raise TranscriptError(f"a {body.kind!r} where a {decision.kind!r} is due", entry.i)
        turn.act(entry.i, seat, self._read_action(entry, body))
        if decision.sealed:
            self._check_place(entry, body.turn, seat)
        self._close_if_complete(turn)

    def _read_action(self, entry: Entry, body: Action) -> Any:
        """The action, which must have the one form in which we write it, and agree with the words."""
        try:
            action = self._space.decode_action(body.action)
            if not same(self._space.encode_action(action), body.action):
                raise TranscriptError("the action is not in its canonical form", entry.i)
            if body.raw is not None and self._space.parse(body.kind, body.raw) != action:
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
            if after.type in ("end", "void"):
                return
            if after.body.get("turn") == turn and (
                after.type == "reveal" or (after.type == "action" and seat_of(after) > seat)
            ):
                return
        raise TranscriptError("a sealed action stands apart from its reveal", entry.i)

    def _fault(self, entry: Entry) -> None:
        body = read_body(entry, Fault)
        self._at(entry, body.turn).fault(entry.i, seat_of(entry), body.code, body.attempt)

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

    def _end(self, entry: Entry) -> None:
        by_host(entry)
        turn = self._turn
        if turn is not None and not turn.closed:
            self._close(turn)  # a forfeit may end the session while other seats still owe
        if turn is not None and turn.owes_reveal and not turn.has_forfeits:
            raise TranscriptError(f"turn {turn.number} was not revealed", entry.i)
        outcome = self._space.outcome(self._state)
        if outcome is None:
            raise TranscriptError("end although the rules go on", entry.i)
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
