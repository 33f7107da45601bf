"""A Space for tests alone: three seats guess tides of a harbour that an oracle looks up.

It has what the shipped contests have only in part, so that engine, transcript, replay and suite are
tried on all of it: inquiries (also before the first decision), notes at each place where one may
stand, stamped sealed actions, forfeits that end the session while another seat still owes.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from spaces.seed import Streams
from spaces.space import (
    Decision,
    IllegalAction,
    Inquiry,
    InvalidAction,
    InvalidObservation,
    Note,
    Observation,
    Outcome,
    Space,
)

SEATS = 3
ROWS = 1_000
"""Of the recorded series; which row a session asks for is drawn from its seed."""


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rounds: Annotated[int, Meta(ge=1, le=9)] = 2
    guess_ms: Annotated[int, Meta(ge=100, le=60_000)] = 30_000
    limit_ms: Annotated[int, Meta(ge=10, le=60_000)] = 2_000
    delay_ms: Annotated[int, Meta(ge=0, le=60_000)] = 0


class Guess(msgspec.Struct, frozen=True, tag_field="kind", tag="guess", forbid_unknown_fields=True):
    height: Annotated[int, Meta(ge=0, le=99)]
    elapsed_ms: Annotated[int, Meta(ge=0, le=600_000)] = 0


class State(msgspec.Struct, frozen=True):
    params: Params
    row: int
    """Secret until the oracle has been asked about it: the series is public."""
    round: int = 1
    known: int | None = None
    """Last tide, which the seats see before they guess; None: the oracle is asked for it."""
    guesses: tuple[Guess | None, ...] = ()
    """Of this round by seat; None: forfeited. As many as SEATS: the oracle is asked."""
    waiting: tuple[int, ...] = (0, 1, 2)
    points: tuple[int, ...] = (0, 0, 0)
    notes: tuple[Note, ...] = (Note("harbour", {"seats": SEATS}),)
    ended: str | None = None


class Tides(Space[Params, State, Guess]):
    id = "tides"
    rules = "tides/1"
    title = "Tides"
    seats = SEATS
    decided_by = "oracle"
    params_type = Params
    action_type = Guess

    def initial(self, params: Params, streams: Streams) -> State:
        return State(params, streams.below("row", ROWS), guesses=(None,) * SEATS)

    def decisions(self, state: State) -> tuple[Decision, ...]:
        if state.ended is not None or state.known is None:
            return ()
        limit_ms = state.params.guess_ms
        return tuple(Decision(seat, "guess", limit_ms, sealed=True) for seat in state.waiting)

    def inquiry(self, state: State) -> Inquiry | None:
        if state.ended is not None or (state.known is not None and state.waiting):
            return None
        kind = "tide" if state.known is None else "next-tide"
        ask = {"row": state.row + state.round}
        return Inquiry(kind, ask, state.params.limit_ms, state.params.delay_ms)

    def learn(self, state: State, observation: Observation, streams: Streams) -> State:
        tide = observation.value.get("tide")
        if type(tide) is not int or not 0 <= tide <= 99:
            raise InvalidObservation(f"a tide is 0 to 99, got {tide!r}")
        if state.known is None:
            return replace(state, known=tide, notes=(*state.notes, Note("tide", {"tide": tide})))
        points = tuple(
            before + (0 if guess is None else 100 - abs(guess.height - tide))
            for before, guess in zip(state.points, state.guesses, strict=True)
        )
        told = Note("tide", {"round": state.round, "tide": tide, "points": points})
        over = state.round == state.params.rounds
        return replace(
            state,
            round=state.round + (not over),
            known=tide,
            guesses=(None,) * SEATS,
            waiting=() if over else tuple(range(SEATS)),
            points=points,
            notes=(*state.notes, told),
            ended="complete" if over else None,
        )

    def random_observation(self, state: State, rng: random.Random) -> Observation:
        return Observation(f"harbour.csv row {rng.randrange(ROWS)}", {"tide": rng.randrange(100)})

    def notes(self, state: State) -> tuple[Note, ...]:
        return state.notes

    def stamp(self, action: Guess, elapsed_ms: int) -> Guess:
        return replace(action, elapsed_ms=elapsed_ms)

    def parse(self, kind: str, text: str) -> Guess:
        if kind != "guess" or not (text.isascii() and text.isdigit() and int(text[:3]) < 100):
            raise InvalidAction(f"a guess is 0 to 99, got {text[:20]!r}")
        return Guess(int(text[:3]))

    def answer_text(self, action: Guess) -> str:
        return str(action.height)

    def apply(self, state: State, seat: int, action: Guess, streams: Streams) -> State:
        self._check(state, seat, IllegalAction)
        return self._guessed(state, seat, action)

    def forfeit(self, state: State, seat: int, streams: Streams) -> State:
        """Without its pilot, seat 0, a session ends; others may be struck by the same deadline."""
        self._check(state, seat, ValueError)
        after = self._guessed(state, seat, None)
        if seat != 0:
            return after
        return replace(after, ended="forfeit", notes=(*state.notes, Note("silence", {})))

    def _check(self, state: State, seat: int, error: type[Exception]) -> None:
        if state.known is None or seat not in state.waiting:
            raise error(f"seat {seat} owes no decision")

    def _guessed(self, state: State, seat: int, guess: Guess | None) -> State:
        guesses = tuple(guess if i == seat else old for i, old in enumerate(state.guesses))
        waiting = tuple(each for each in state.waiting if each != seat)
        after = replace(state, guesses=guesses, waiting=waiting)
        if waiting or state.ended is not None:
            return after
        heights = [each and each.height for each in guesses]
        return replace(after, notes=(*after.notes, Note("guesses", {"heights": heights})))

    def outcome(self, state: State) -> Outcome | None:
        return None if state.ended is None else Outcome(state.ended, state.points)

    def observe(self, state: State, viewer: int | None) -> dict[str, Any]:
        public = not state.waiting or state.ended is not None
        shown = [
            msgspec.to_builtins(guess) if public or seat == viewer else None
            for seat, guess in enumerate(state.guesses)
        ]
        return {
            "round": state.round,
            "tide": state.known,
            "guesses": shown,
            "points": list(state.points),
        }

    def prompt(self, state: State, seat: int) -> str:
        return f"The tide is {state.known}. Guess the next one, 0 to 99."

    def headline(self, state: State, names: Sequence[str] = ()) -> str:
        return f"round {state.round}/{state.params.rounds}"

    def render(self, state: State, names: Sequence[str] = ()) -> str:
        return f"round {state.round}, tide {state.known}, points {list(state.points)}"

    def random_answer(
        self, kind: str, view: Mapping[str, Any], seat: int, rng: random.Random
    ) -> str:
        return str(rng.randrange(100))
