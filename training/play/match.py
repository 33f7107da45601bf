"""One match in progress: who is asked now, what an answer does. Pure.

The arena's rules of `docs/architecture.md` without its clock: simultaneous decisions make one turn, an
answer that cannot be read or is not legal may be given once more, a second one forfeits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from spaces.plain_text import plain_lines
from spaces.seed import Streams
from spaces.space import ActionError, Decision, Outcome, Space
from training.play.ask import Ask, Said
from training.play.legal import legal_answers
from training.play.played import Attempt, Played
from training.trajectory.turn import Questions, with_fault

ATTEMPTS = 2


class Match:
    """Holds the state of one match; `asks`, then `take` their answers, until there is an `outcome`."""

    def __init__(
        self,
        space: Space[Any, Any, Any],
        params: msgspec.Struct,
        seating: tuple[str, ...],
        seed: bytes,
        copy: int,
        questions: Questions,
    ) -> None:
        """`copy` tells matches of one run apart that share params, seating and seed."""
        self.space, self.seating = space, seating
        self._seed, self._streams, self._questions = seed, Streams(seed), questions
        named = msgspec.json.encode((space.rules, params, seating, seed.hex(), copy))
        # A hash, since players are told it and may not know the seed.
        self.id = hashlib.sha256(b"agon-play-match/1" + named).hexdigest()[:32]
        self._state = space.initial(params, self._streams)
        self._number = 0
        self._owing: dict[int, Decision] = {}
        self._faults: dict[int, str] = {}
        self._attempts: list[Attempt] = []
        self._next_turn()

    @property
    def outcome(self) -> Outcome | None:
        outcome: Outcome | None = self.space.outcome(self._state)
        return outcome

    def asks(self, systems: dict[str, str]) -> list[Ask]:
        """What is open, by seat; `systems` are the players' system prompts, by name."""
        return [self._ask(each, systems[self.seating[seat]]) for seat, each in self._owing.items()]

    def _ask(self, decision: Decision, system: str) -> Ask:
        seat, kind, fault = decision.seat, decision.kind, self._faults.get(decision.seat)
        asked = self._questions.ask(self.space, self._state, seat, kind, system)
        view = self.space.observe(self._state, seat)
        return Ask(
            space=self.space,
            state=self._state,
            seat=seat,
            kind=kind,
            messages=with_fault(asked, fault),
            legal=legal_answers(self.space.answer_schema(kind, view, seat)),
            match=self.id,
            number=self._number,
            attempt=1 if fault is None else 2,
            fault=fault,
        )

    def take(self, answered: Sequence[tuple[Ask, Said]]) -> None:
        """The answers to all that was asked, by seat. Seats that fail for good at once forfeit at once: none of
        them is to blame more than another, whatever the order."""
        out: list[int] = []
        for ask, said in answered:
            if self.outcome is not None:
                break
            reason = self._apply(ask, said)
            self._attempts.append(_attempt(ask, said, reason))
            if reason and ask.attempt < ATTEMPTS:
                self._faults[ask.seat] = reason
                continue
            if reason:
                out.append(ask.seat)
            self._faults.pop(ask.seat, None)
            del self._owing[ask.seat]
        for seat in out:
            self._state = self.space.forfeit(self._state, seat, self._streams)
        if not self._owing:
            self._next_turn()

    def _apply(self, ask: Ask, said: Said) -> str:
        """Why the answer is refused; empty where the state has moved on."""
        try:
            text = said.text if said.whole else whole_lines(said.text)
            action = self.space.stamp(self.space.parse(ask.kind, text), 0)
            self._state = self.space.apply(self._state, ask.seat, action, self._streams)
        except ActionError as error:
            return error.reason
        return ""

    def _next_turn(self) -> None:
        self._number += 1
        self._owing = {each.seat: each for each in self.space.decisions(self._state)}

    def played(self) -> Played:
        """The match, once it is over."""
        outcome = self.outcome
        assert outcome is not None, "a match is told when it is over"
        return Played(
            match=self.id,
            space=self.space.id,
            seed=self._seed,
            seating=self.seating,
            attempts=tuple(self._attempts),
            outcome=outcome,
        )


def _attempt(ask: Ask, said: Said, reason: str) -> Attempt:
    return Attempt(
        seat=ask.seat,
        number=ask.number,
        kind=ask.kind,
        attempt=ask.attempt,
        messages=ask.messages,
        said=said,
        legal=not reason,
        reason=reason,
        choices=ask.legal,
    )


def whole_lines(text: str) -> str:
    """Of an answer that was cut off: `bid: 1` may be half of `bid: 18`, so its last line does not count, as
    with hosted agents."""
    lines = plain_lines(text)
    return "\n".join(lines if text.endswith("\n") else lines[:-1])
