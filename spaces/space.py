"""The contract of a contest: what every Space is, and the words the rest of Agon uses for it.

A Space is pure rules. It takes a state and an action and returns a new state; all chance comes from
the session's seed through labelled streams (`spaces.seed`), all time is the caller's business. The
match engine (`server.match`) keeps clocks, retries and faults; a Space says only what is legal, what
follows, who may see what, and what a seat loses when it forfeits a decision.

The vocabulary follows OpenSpiel and kaggle-environments: seat, action, observation, outcome, returns,
termination.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Literal, TypeVar

import msgspec

from spaces.answer_json import answer_json
from spaces.seed import Streams

JSON = None | bool | int | str | Sequence["JSON"] | Mapping[str, "JSON"]
"""What may appear in a document anyone can check: no floats (PROOFS)."""

P = TypeVar("P", bound=msgspec.Struct)  # params
S = TypeVar("S", bound=msgspec.Struct)  # state
A = TypeVar("A", bound=msgspec.Struct)  # action (one Struct or a tagged union's base)


class ActionError(ValueError):
    """The agent's fault. `reason` is told to the agent, so it names what was expected."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidAction(ActionError):
    """The text could not be read as an action of the kind that was asked for (syntax)."""


class IllegalAction(ActionError):
    """A well-formed action that the rules forbid in this state."""


class InvalidObservation(ValueError):
    """The oracle's answer is not what the inquiry asked for. Our fault: the session is void."""


class InvalidParams(ValueError):
    """The session's parameters are unknown or out of range; the message names the parameter."""


class Decision(msgspec.Struct, frozen=True):
    """One seat owes one action.

    Decisions that are open at the same time are simultaneous: no seat may learn another's action
    before all are in, so `sealed` is true whenever more than one seat decides at once and the
    actions are not public on arrival.
    """

    seat: int
    kind: str
    """Names the answer format, e.g. `bid`, `mark`, `verse`."""
    time_limit_ms: int
    sealed: bool = False
    not_after_ms: int | None = None
    """Unix milliseconds at which the world would tell the answer; None where it never does. No
    deadline lies later, whatever happens, and a replay refuses an action that came later. What an
    outage of ours leaves no time for voids the session."""


class Inquiry(msgspec.Struct, frozen=True):
    """What the session must learn of the world before it goes on; an oracle answers, not a seat.

    While an inquiry is open no decision is. The answer, with its source, stands in the transcript,
    so a replay asks nobody.
    """

    kind: str
    """Names the form of the answer, e.g. `question`, `candle`, `resolution`."""
    ask: dict[str, Any]
    """What the oracle is asked, as JSON without floats."""
    limit_ms: int
    """Unanswered for so long, the session is void: nobody's fault but ours."""
    delay_ms: int = 0
    """The oracle is not asked sooner than this after the inquiry was opened."""


class Observation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An oracle's answer to an inquiry."""

    source: str
    """Where it can be looked up, e.g. a file with its SHA-256 and row, or an exchange and pair."""
    value: dict[str, Any]
    """JSON without floats; decimals are strings."""


class Note(msgspec.Struct, frozen=True):
    """A fact that the rules derived and that the transcript keeps in full, so that it can be checked
    without the program that derived it, e.g. a generated puzzle and its solution. Public."""

    kind: str
    body: dict[str, Any]
    """JSON without floats."""


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a session ended under the rules.

    `returns[i]` is seat i's integer payoff (zero-sum in two-seat Spaces: +1, 0, -1), or `returns`
    is None when judges decide.
    """

    termination: str
    """The field's word for why: `line`, `board-full`, `bankruptcy`, `forfeit`, `complete`, …"""
    returns: tuple[int, ...] | None


class Space(ABC, Generic[P, S, A]):
    """The rules of one contest. Instances are stateless and shared.

    Every method is a pure function of its arguments. States, params and actions are frozen
    msgspec Structs with tuple fields; a state that was passed in is never changed.
    """

    id: ClassVar[str]
    """The Space's name on the wire and in queues, e.g. `bid-tac-toe`."""
    rules: ClassVar[str]
    """The rules' version, e.g. `bid-tac-toe/1`. Any change of behaviour is a new version."""
    title: ClassVar[str]
    seats: ClassVar[int]
    decided_by: ClassVar[Literal["rules", "judges", "oracle"]]
    params_type: ClassVar[type[Any]]
    """The Struct of the parameters; its defaults are the default session."""
    action_type: ClassVar[Any]
    """The Struct, or union of tagged Structs, of this Space's actions."""
    returns_sum: ClassVar[int | None] = None
    """What the returns of a finished session add up to, or None where they need not be constant."""
    prompt_limit: ClassVar[int] = 2_000
    """Characters an owner's system prompt may have in this Space."""

    def load(self) -> None:
        """Import and read what the rules need and what takes longer than a tick, e.g. a library of
        puzzles. Programs that play this Space call it once at their start, off the event loop;
        without it the first session pays. Harmless when repeated."""

    def params(self, raw: Mapping[str, Any]) -> P:
        """Read and check parameters; missing ones take their default. Raises InvalidParams."""
        try:
            params: P = msgspec.convert(raw, self.params_type)
        except msgspec.ValidationError as error:
            raise InvalidParams(f"{self.id}: {error}") from None
        self.check_params(params)
        return params

    def check_params(self, params: P) -> None:
        """Raise InvalidParams for a combination that the types allow and the rules do not."""

    @abstractmethod
    def initial(self, params: P, streams: Streams) -> S:
        """The state before the first action."""

    @abstractmethod
    def decisions(self, state: S) -> tuple[Decision, ...]:
        """The decisions open now, in seat order.

        In every state exactly one holds: some decision is open, `inquiry` is not None, or `outcome`
        is not None.
        """

    @abstractmethod
    def parse(self, kind: str, text: str) -> A:
        """Read an agent's text as an action of `kind`; the last well-formed answer counts.

        Needs no state, so bots can check their own answer before they send it. The text may be any
        string up to the protocol's bound. Raises InvalidAction; never guesses an ambiguous reply.
        """

    def answer_text(self, action: A) -> str:
        """The text of an answer that `parse` reads as this action, in the form in which models learn to
        answer: JSON of the `answer_schema` where there is one, else the words themselves.

        `parse(kind, answer_text(action)) == action` for every action that `parse` reads and for every
        one that the rules took, but for its stamp, which is no part of the words. This default is the
        action's fields without its tag.
        """
        tag = action.__struct_config__.tag_field
        fields = self.encode_action(action)
        return answer_json({key: value for key, value in fields.items() if key != tag})

    @abstractmethod
    def apply(self, state: S, seat: int, action: A, streams: Streams) -> S:
        """The state after `seat` acted. Raises IllegalAction; the order in which simultaneous
        decisions arrive never changes the state that follows the last of them."""

    @abstractmethod
    def forfeit(self, state: S, seat: int, streams: Streams) -> S:
        """The state after `seat` failed its open decision twice (unreadable, illegal or late)."""

    def inquiry(self, state: S) -> Inquiry | None:
        """What the oracle must be asked now. Spaces that need no oracle leave this alone."""
        return None

    def learn(self, state: S, observation: Observation, streams: Streams) -> S:
        """The state after the oracle answered the open inquiry. Raises InvalidObservation."""
        raise InvalidObservation(f"{self.id} asks no oracle")

    def random_observation(self, state: S, rng: random.Random) -> Observation:
        """Some valid answer to the open inquiry; for conformance tests and load."""
        raise NotImplementedError(f"{self.id} asks no oracle")

    def notes(self, state: S) -> tuple[Note, ...]:
        """Every note of the session so far, in order; a later state only adds to them. Nothing that
        is still secret is in a note."""
        return ()

    def stamp(self, action: A, elapsed_ms: int) -> A:
        """The action with the time it took, where the rules care for speed.

        `elapsed_ms` is what the host measured between opening the decision and the answer. The
        transcript keeps the stamped action.
        """
        return action

    @abstractmethod
    def outcome(self, state: S) -> Outcome | None:
        """None while the session goes on."""

    @abstractmethod
    def observe(self, state: S, viewer: int | None) -> dict[str, Any]:
        """What `viewer` may see, as JSON without floats: a seat, or None for the public.

        This is the one place where secrets of the rules are filtered: sealed actions of other seats
        and anything drawn from the seed that has not been revealed never appear.
        """

    @abstractmethod
    def prompt(self, state: S, seat: int) -> str:
        """The observation as text for a language model that must decide now: the situation, then
        the answer format. Versioned with the rules."""

    @abstractmethod
    def headline(self, state: S, names: Sequence[str] = ()) -> str:
        """One public line for the lobby, e.g. `round 2/3`; at most 80 characters. `names` are the seats'
        agents, by seat; without them a seat is called by its number (`spaces.seat_names`)."""

    @abstractmethod
    def render(self, state: S, names: Sequence[str] = ()) -> str:
        """The public state as plain text of several lines, for logs, playthroughs and `agon replay`.
        `names` as for `headline`."""

    def return_in_words(self, value: int) -> str:
        """A seat's return for people, with its unit, e.g. `+1,234.56`; returns themselves are integers."""
        return f"{value:+}" if value else "0"

    @abstractmethod
    def random_answer(
        self, kind: str, view: Mapping[str, Any], seat: int, rng: random.Random
    ) -> str:
        """The text of some legal answer, read off the seat's own observation alone: for baselines,
        conformance tests and load."""

    def random_action(self, state: S, seat: int, rng: random.Random) -> A:
        """Some legal action for the seat's open decision."""
        kind = next(each.kind for each in self.decisions(state) if each.seat == seat)
        return self.parse(kind, self.random_answer(kind, self.observe(state, seat), seat, rng))

    def check_answer(self, kind: str, text: str, view: Mapping[str, Any], seat: int) -> None:
        """Raise ActionError where the arena would refuse `text`, as far as the seat's observation
        tells; it spares an agent the faults it can foresee. The arena's rules decide."""
        self.parse(kind, text)

    def answer_schema(self, kind: str, view: Mapping[str, Any], seat: int) -> dict[str, Any] | None:
        """The JSON schema of the legal answers, for models that are helped by one; None where an
        answer is no JSON."""
        return None

    def decode_action(self, body: Any) -> A:
        """An action from its JSON form in a transcript. Raises InvalidAction."""
        try:
            action: A = msgspec.convert(body, self.action_type)
        except msgspec.ValidationError as error:
            raise InvalidAction(f"{self.id}: {error}") from None
        return action

    def encode_action(self, action: A) -> dict[str, Any]:
        """The JSON form of an action, as it stands in a transcript."""
        body: dict[str, Any] = msgspec.to_builtins(action)
        return body
