"""One session of a Space, played in a program instead of an arena: what every environment here wraps.

No clock runs: an answer takes no time, and nobody is ever late. The arena's rule of faults holds: an
unreadable or illegal answer may be given once again, the second one forfeits.
"""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spaces.seed import Streams
from spaces.space import ActionError, Decision, Inquiry, Observation, Outcome, Space

AnySpace = Space[Any, Any, Any]
Oracle = Callable[[Inquiry], Observation]
"""Answers what a session asks of the world."""
Judge = Callable[[AnySpace, Any], Sequence[float]]
"""Rewards of the seats of a finished session whose rules leave the verdict to judges; it is given the
Space and its last state."""

ATTEMPTS = 2


class Session:
    """A session in progress. `open_decisions` says who must answer; `answer` answers."""

    def __init__(
        self,
        space: AnySpace,
        params: Mapping[str, Any] | None = None,
        seed: int | None = None,
        oracle: Oracle | None = None,
        judge: Judge | None = None,
    ) -> None:
        """Equal seeds play equal sessions; None takes a fresh one. Without an oracle its answers are
        some valid ones. Raises InvalidParams."""
        self.space = space
        self._streams = Streams(_seed_bytes(seed))
        self._rng = random.Random(seed)  # noqa: S311 - stands in for the world, not for the seed
        self._oracle, self._judge = oracle, judge
        self._failed: dict[int, int] = {}
        self.state = space.initial(space.params(params or {}), self._streams)
        self._learn()

    @property
    def open_decisions(self) -> tuple[Decision, ...]:
        """In seat order. Sealed ones may be answered in any order: no view tells of another's."""
        return self.space.decisions(self.state)

    @property
    def outcome(self) -> Outcome | None:
        return self.space.outcome(self.state)

    def answer(self, seat: int, text: str) -> str | None:
        """Answer the seat's open decision. Returns why the answer was refused, or None.

        Refused twice, the seat forfeits. Raises ValueError when it owes no decision.
        """
        kinds = {each.seat: each.kind for each in self.open_decisions}
        if seat not in kinds:
            raise ValueError(f"seat {seat} owes no decision")
        try:
            action = self.space.stamp(self.space.parse(kinds[seat], text), 0)
            self.state = self.space.apply(self.state, seat, action, self._streams)
        except ActionError as error:
            return self._refused(seat, error.reason)
        self._failed.pop(seat, None)
        self._learn()
        return None

    def rewards(self) -> tuple[float, ...] | None:
        """Of each seat; None while the session goes on, and where judges are needed and none is given."""
        outcome = self.outcome
        if outcome is None:
            return None
        if outcome.returns is not None:
            return tuple(float(each) for each in outcome.returns)
        if self._judge is None:
            return None
        return tuple(float(each) for each in self._judge(self.space, self.state))

    def random_answer(self, seat: int) -> str:
        """Some legal answer to the seat's open decision."""
        kind = next(each.kind for each in self.open_decisions if each.seat == seat)
        view = self.space.observe(self.state, seat)
        return self.space.random_answer(kind, view, seat, self._rng)

    def _refused(self, seat: int, reason: str) -> str:
        self._failed[seat] = self._failed.get(seat, 0) + 1
        if self._failed[seat] >= ATTEMPTS:
            del self._failed[seat]
            self.state = self.space.forfeit(self.state, seat, self._streams)
            self._learn()
        return reason

    def _learn(self) -> None:
        """Have every open inquiry answered."""
        while (inquiry := self.space.inquiry(self.state)) is not None:
            if self._oracle is None:
                observation = self.space.random_observation(self.state, self._rng)
            else:
                observation = self._oracle(inquiry)
            self.state = self.space.learn(self.state, observation, self._streams)


def _seed_bytes(seed: int | None) -> bytes:
    if seed is None:
        return secrets.token_bytes(32)
    return hashlib.sha256(f"agon-bridge-seed/{seed}".encode()).digest()
