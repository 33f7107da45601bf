"""Our Spaces as environments of TRL's `GRPOTrainer(environment_factory=…)` (TRL 1.16).

TRL makes one environment per rollout, calls `reset` with the row's fields and appends the text that it
returns to the prompt, offers the public methods to the model as tools, and asks `get_reward` at the
end. The model plays one seat by the tool `answer`; `rival` plays the others. TRL itself is not needed
to make an environment, and is no dependency.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spaces.bridges.ours.rivals import Rival, play_on, random_rival
from spaces.bridges.ours.session import AnySpace, Judge, Oracle, Session

UNFINISHED = 0.0
"""The reward of a rollout that ended before its session did."""


class SpaceEnvironment:
    """One rollout: the model's seat in one session."""

    def __init__(
        self,
        space: AnySpace,
        params: Mapping[str, Any],
        seat: int,
        rival: Rival,
        oracle: Oracle | None,
        judge: Judge | None,
    ) -> None:
        self._space, self._params, self._seat = space, params, seat
        self._rival, self._oracle, self._judge = rival, oracle, judge
        self._session: Session | None = None

    def reset(self, seed: int | None = None, **_: Any) -> str:
        """Open a session and play on to the model's first decision. A row of the data set may have a
        column `seed`; rows of equal seeds get equal sessions, as a group of rollouts needs."""
        self._session = Session(self._space, self._params, seed, self._oracle, self._judge)
        return self._play_on(self._session)

    def answer(self, text: str) -> str:
        """Give your answer to what you were asked last, and see what you are asked next.

        Args:
            text: Your answer, in the format that was asked for.

        Returns:
            What you are asked next, why your answer was refused, or how the session ended.
        """
        session = self._session
        if session is None or session.outcome is not None:
            return "The session is over."
        fault = session.answer(self._seat, text)
        told = self._play_on(session)
        return told if fault is None else f"Your answer was refused: {fault}\n\n{told}"

    def get_reward(self) -> float:
        """The seat's return, or what the judge gave it; `UNFINISHED` of a session that did not end."""
        rewards = None if self._session is None else self._session.rewards()
        return UNFINISHED if rewards is None else rewards[self._seat]

    def _play_on(self, session: Session) -> str:
        asked = play_on(session, self._seat, self._rival)
        if asked is not None:
            return asked
        assert session.outcome is not None
        return f"The session is over ({session.outcome.termination})."


def environment_factory(
    space: AnySpace,
    params: Mapping[str, Any] | None = None,
    *,
    seat: int = 0,
    rival: Rival = random_rival,
    oracle: Oracle | None = None,
    judge: Judge | None = None,
) -> Callable[[], SpaceEnvironment]:
    """What GRPOTrainer is given. Raises ValueError for a seat that is not there, and for a Space whose
    sessions judges decide where no judge is given: nothing would be learnt from its rollouts."""
    if not 0 <= seat < space.seats:
        raise ValueError(f"{space.id} has the seats 0 to {space.seats - 1}, got {seat}")
    if space.decided_by == "judges" and judge is None:
        raise ValueError(f"{space.id} is decided by judges: give `judge`, which rewards the seats")
    checked = dict(params or {})
    space.params(checked)
    return lambda: SpaceEnvironment(space, checked, seat, rival, oracle, judge)
