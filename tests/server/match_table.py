"""A table at which tests play a `Match` with a clock of their own."""

from __future__ import annotations

import itertools
import random
from typing import Any

from server.live.records import Inbound, LogEvent, Reply, SeatRecord, SessionRecord
from server.match import Match, open_event
from server.protocol import SessionView
from spaces import registry
from spaces.space import Observation

T0 = 1_700_000_000_000
RETRY_MS = 10_000


def record_of(
    space: str = "bid-tac-toe", session: str = "S1", seed: bytes = b"\x07" * 32, **params: Any
) -> SessionRecord:
    rules = registry.get(space)
    seats = tuple(
        SeatRecord(i, f"agent-{i}", f"Agent {i}", f"version-{i}", f"owner-{i}", bytes([i]) * 32)
        for i in range(rules.seats)
    )
    return SessionRecord(session, space, rules.rules, params, 0, T0, seed, seats)


class Table:
    """One match, its log so far and its clock."""

    def __init__(self, record: SessionRecord | None = None) -> None:
        self.record = record or record_of()
        self.log: list[LogEvent] = [open_event(self.record)]
        self.now = T0
        self.match = Match(self.record, self.log, retry_ms=RETRY_MS)
        self._acts = itertools.count()
        self.match.takeover(self.now)
        self.collect()

    def collect(self) -> list[LogEvent]:
        self.match.views()
        events = self.match.take_events()
        self.log += events
        assert self.match.offset == len(self.log)
        return events

    def act(
        self, seat: int, text: str, *, turn: int | None = None, act: str | None = None
    ) -> list[LogEvent]:
        """What the answer of a seat leads to; the current turn unless said otherwise."""
        act = act or f"act-{next(self._acts)}"
        turn = self.match.turn if turn is None else turn
        inbound = Inbound(self.record.session, seat, act, turn, text, "gateway-1")
        self.match.receive(self.now, inbound)
        return self.collect()

    def hear(self, observation: Observation | None = None, *, seed: int = 0) -> list[LogEvent]:
        """What the answer of the oracle leads to, given as soon as it may be asked; a random one
        unless said otherwise."""
        asked = self.match.inquiry
        assert asked is not None, "nothing is asked"
        self.now = max(self.now, asked.opens_ms)
        if observation is None:
            space = registry.get(self.record.space)
            observation = space.random_observation(self.match.state, random.Random(seed))
        self.match.learn(self.now, asked.number, observation)
        return self.collect()

    def wait(self, ms: int) -> list[LogEvent]:
        self.now += ms
        self.match.tick(self.now)
        return self.collect()

    def refusal(self) -> Reply:
        [reply] = self.match.take_replies()
        return reply

    def view(self, viewer: int | None) -> SessionView:
        views = self.match.views()
        assert views.offset == len(self.log) - 1
        view = views.public if viewer is None else views.seats[viewer]
        assert isinstance(view, SessionView)
        return view

    def restored(self) -> Match:
        """Another host's match, from the log."""
        return Match(self.record, self.log, retry_ms=RETRY_MS)

    def play_on(self, rng: random.Random) -> None:
        """Random legal answers until it ends."""
        while not self.match.finished:
            if self.match.inquiry is not None:
                self.hear(seed=rng.randrange(1_000))
            else:
                seat, text = random_answer(self.match, rng)
                self.act(seat, text)


def random_answer(match: Match, rng: random.Random) -> tuple[int, str]:
    """A seat that owes an answer, and a legal one for it."""
    progress = match._progress
    open_ = rng.choice(progress.pending())
    kind, view = open_.decision.kind, progress.space.observe(progress.state, open_.seat)
    return open_.seat, progress.space.random_answer(kind, view, open_.seat, rng)


def types(events: list[LogEvent]) -> list[str]:
    return [event.type for event in events]
