"""A host in a few lines: it plays a session and writes down its log as `server.match` would.

Turn by turn, by the table of events in docs/architecture.md, with faults, forfeits and a void where
the dice say so; it is its own oracle. Tests of rules and transcripts use it; nothing of it is
asynchronous or timed.
"""

from __future__ import annotations

import random
from typing import Any

import msgspec

from spaces.seed import Streams, commitment
from spaces.space import Decision, Inquiry, Outcome, Space
from spaces.transcript import Draft, SeatCommit, order, seal, seat_commit
from spaces.transcript.observations import as_kept
from spaces.transcript.timing import keeps_time

AnySpace = Space[Any, Any, Any]
SESSION = "01JD0000000000000000000000"
OPENED_MS = 1_750_000_000_000
MAX_STEPS = 1_000
"""Random play of any Space ends far sooner; a session that does not is a bug of its rules."""


def seed_of(number: int) -> bytes:
    return number.to_bytes(32, "big")


class Dice(msgspec.Struct, frozen=True):
    """How often things go wrong, as probabilities per decision."""

    fault: float = 0.0
    forfeit: float = 0.0
    void: float = 0.0


class Session(msgspec.Struct):
    """A session being played. `log` holds each event with the seat it is secret to."""

    space: AnySpace
    params: dict[str, Any]
    seed: bytes
    rng: random.Random
    dice: Dice = Dice()
    answers: list[str] = []
    """Replies to give in turn instead of random actions, while they last."""
    log: list[tuple[Draft, int | None]] = []
    clock_ms: int = 0
    turn_ms: int = 0
    """When the turn began."""
    state: Any = None
    states: list[Any] = []
    """Every state that the session went through, also within a turn."""
    told: int = 0
    """Notes in the log."""
    outcome: Outcome | None = None

    @property
    def streams(self) -> Streams:
        return Streams(self.seed)

    @property
    def seats(self) -> list[SeatCommit]:
        return [
            SeatCommit(seat, seat_commit(f"agent-{seat}@v1", bytes([seat]) * 32))
            for seat in range(self.space.seats)
        ]

    def play(self) -> Session:
        """Play to the end (or to a void)."""
        self._reach(self.space.initial(self.space.params(self.params), self.streams))
        self._say("open", self._opening())
        turns = asked = 0
        for _ in range(MAX_STEPS):
            self._tell_notes()
            self.outcome = self.space.outcome(self.state)
            if self.outcome is not None:
                returns = self.outcome.returns and list(self.outcome.returns)
                self._say("end", {"termination": self.outcome.termination, "returns": returns})
                return self
            inquiry = self.space.inquiry(self.state)
            if inquiry is not None:
                asked += 1
                goes_on = self._ask(asked, inquiry)
            else:
                turns += 1
                self._say("turn", {"turn": turns})
                goes_on = self._play_turn(turns)
            if not goes_on:
                self._say("void", {"reason": "the host lost its mind"})
                self.outcome = Outcome("void", None)
                return self
        raise AssertionError(f"{self.space.id} {self.params} does not end")

    def document(self) -> bytes:
        return seal(
            session=SESSION,
            space=self.space.id,
            rules=self.space.rules,
            params=self.params,
            opened_ms=OPENED_MS,
            sealed_ms=OPENED_MS + self.clock_ms,
            seats=self.seats,
            seed=self.seed,
            entries=order(self.log),
            outcome=self.outcome,
        )

    def _opening(self) -> dict[str, Any]:
        return {
            "rules": self.space.rules,
            "params": self.params,
            "seats": msgspec.to_builtins(self.seats),
            "seed_commit": commitment(SESSION, self.seed),
        }

    def _reach(self, state: Any) -> None:
        self.state = state
        self.states.append(state)

    def _say(
        self, type: str, body: dict[str, Any], by: str = "host", secret: int | None = None
    ) -> None:
        self.clock_ms += 7
        self.log.append((Draft(self.clock_ms, by, type, body), secret))

    def _tell_notes(self) -> None:
        notes = self.space.notes(self.state)
        for note in notes[self.told :]:
            self._say("note", {"kind": note.kind, "body": note.body})
        self.told = len(notes)

    def _ask(self, number: int, inquiry: Inquiry) -> bool:
        """The oracle answers at random. False: the session is voided."""
        self._say("inquiry", {"number": number, "kind": inquiry.kind})
        if self.rng.random() < self.dice.void:
            return False
        observation = as_kept(self.space.random_observation(self.state, self.rng))
        body = {
            "number": number,
            "kind": inquiry.kind,
            "source": observation.source,
            "value": observation.value,
        }
        self._say("oracle", body, "oracle")
        self._reach(self.space.learn(self.state, observation, self.streams))
        return True

    def _play_turn(self, turn: int) -> bool:
        """One set of decisions, in random order. False: the session is voided.

        Forfeits strike at once or, as when one deadline strikes many, together at the end.
        """
        waiting = list(self.space.decisions(self.state))
        self.turn_ms = self.clock_ms
        self.rng.shuffle(waiting)
        sealed: list[dict[str, Any]] = []
        late: list[int] = []
        while waiting and self.space.outcome(self.state) is None:
            if self.rng.random() < self.dice.void:
                return False
            decision = waiting.pop()
            if self.rng.random() < self.dice.forfeit:
                self._say_faults(turn, decision.seat, 2)
                late.append(decision.seat)
                if self.rng.random() < 0.5:
                    self._forfeit(turn, late)
                continue
            self._say_faults(turn, decision.seat, int(self.rng.random() < self.dice.fault))
            body = self._act(turn, decision)
            if decision.sealed:
                sealed.append({"seat": decision.seat, "action": body["action"]})
        self._forfeit(turn, late)
        if sealed and not (waiting and self.space.outcome(self.state) is not None):
            actions = sorted(sealed, key=lambda one: int(one["seat"]))
            self._say("reveal", {"turn": turn, "actions": actions})
        return True

    def _act(self, turn: int, decision: Decision) -> dict[str, Any]:
        space, seat, kind = self.space, decision.seat, decision.kind
        raw = (
            self.answers.pop(0)
            if self.answers
            else space.random_answer(kind, space.observe(self.state, seat), seat, self.rng)
        )
        action = space.parse(kind, raw)
        body: dict[str, Any] = {"turn": turn, "kind": kind}
        if keeps_time(space):
            body["elapsed_ms"] = self.rng.randint(0, decision.time_limit_ms)
            self.clock_ms = max(self.clock_ms, self.turn_ms + body["elapsed_ms"])
            action = space.stamp(action, body["elapsed_ms"])
        body["action"] = space.encode_action(action)
        if space.decided_by == "judges":
            body["raw"] = raw
        self._say("action", body, f"seat:{seat}", seat if decision.sealed else None)
        self._reach(space.apply(self.state, seat, action, self.streams))
        return body

    def _forfeit(self, turn: int, late: list[int]) -> None:
        """Strike the forfeits of `late` and empty it."""
        for seat in sorted(late):
            self._say("forfeit", {"turn": turn, "seat": seat})
            self._reach(self.space.forfeit(self.state, seat, self.streams))
        late.clear()

    def _say_faults(self, turn: int, seat: int, count: int) -> None:
        for attempt in range(1, count + 1):
            code = self.rng.choice(["unparsable", "illegal", "late"])
            if code == "late":
                self._say("deadline", {"turn": turn, "seat": seat})
            reason = "no answer found"
            self._say(
                "fault",
                {"turn": turn, "code": code, "reason": reason, "attempt": attempt},
                f"seat:{seat}",
            )


def play(space: AnySpace, params: dict[str, Any], number: int, dice: Dice | None = None) -> Session:
    """Play session `number` of a Space at random; equal arguments play equal sessions."""
    rng = random.Random(f"{space.id}/{number}")
    return Session(space, params, seed_of(number), rng, dice or Dice()).play()
