"""Our Spaces as environments of `verifiers` (0.4): a taskset of seeded sessions, and the env that plays.

One agent, `player`, plays one seat in a conversation: each prompt of its seat is a user turn, each reply
an answer. `rival` plays the other seats. The reward is the seat's return, or the judge's.

verifiers finds an environment as a module of the top level that exports both classes. Which Space it
plays stands in the config; what is code (a rival, an oracle, a judge) is set on a subclass there:

    # agon_rap.py
    from spaces.bridges.ours.verifiers import SpaceEnv, SpaceTaskset

    class RapEnv(SpaceEnv):
        judge = staticmethod(my_judge)

    __all__ = ["RapEnv", "SpaceTaskset"]
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, ClassVar

from spaces import registry
from spaces.bridges.extras import require
from spaces.bridges.ours.rivals import Rival, play_on, random_rival
from spaces.bridges.ours.session import Session

_vf: Any = require("verifiers.v1", "verifiers")

__all__ = ["SpaceEnv", "SpaceTaskset"]


class SpaceConfig(_vf.TasksetConfig):  # type: ignore[misc]  # the extra need not be installed
    """Which sessions are played."""

    space: str = "bid-tac-toe"
    params: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies defaults
    seat: int = 0


class SpaceData(_vf.TaskData):  # type: ignore[misc]
    """One session: equal data, equal session."""

    space: str
    params: dict[str, Any]
    seat: int
    seed: int


class SpaceTask(_vf.Task[SpaceData, _vf.State, _vf.TaskConfig]):  # type: ignore[misc]
    """Scored by the env, which holds the session."""


class SpaceTaskset(_vf.Taskset[SpaceTask, SpaceConfig]):  # type: ignore[misc]
    """The sessions of seeds 0, 1, 2, … without end."""

    INFINITE = True

    def load(self) -> Iterator[SpaceTask]:
        """Raises registry.UnknownSpace, InvalidParams, and ValueError for a seat that is not there."""
        config = self.config
        space = registry.get(config.space)
        space.params(config.params)
        if not 0 <= config.seat < space.seats:
            raise ValueError(f"{space.id} has the seats 0 to {space.seats - 1}, got {config.seat}")
        for seed in itertools.count():
            data = SpaceData(
                name=f"{space.id}#{seed}",
                space=space.id,
                params=config.params,
                seat=config.seat,
                seed=seed,
            )
            yield SpaceTask(data, config.task)


class SpaceEnvConfig(_vf.EnvConfig):  # type: ignore[misc]
    player: _vf.AgentConfig = _vf.AgentConfig(
        harness={"id": "null"}, runtime={"type": "subprocess"}
    )
    """The agent that is trained or measured. It only talks, so its harness has no tools and it needs
    no sandbox, which verifiers would otherwise rent."""


class SpaceEnv(_vf.Env[SpaceEnvConfig]):  # type: ignore[misc]
    """Plays one session in one conversation."""

    # Functions, not methods: a subclass sets them as staticmethods.
    rival: ClassVar[Any] = staticmethod(random_rival)
    oracle: ClassVar[Any] = None
    judge: ClassVar[Any] = None

    async def run(self, task: Any, agents: Any) -> None:
        data = task.data
        space = registry.get(data.space)
        if space.decided_by == "judges" and self.judge is None:
            raise ValueError(
                f"{space.id} is decided by judges: set `judge` on a subclass of SpaceEnv"
            )
        session = Session(space, data.params, data.seed, self.oracle, self.judge)
        told = play_on(session, data.seat, self.rival)
        async with agents.player.interaction(task) as interaction:
            while told is not None:
                segment = await interaction.turn(told)
                if segment.terminated:
                    break  # the player's own limit of turns or tokens
                told = _answer(session, data.seat, segment.last_reply, self.rival)
        rewards = session.rewards()
        interaction.trace.record_reward(
            "return", 0.0 if rewards is None else rewards[data.seat], 1.0
        )
        if session.outcome is not None:
            interaction.trace.info["termination"] = session.outcome.termination


def _answer(session: Session, seat: int, reply: str, rival: Rival) -> str | None:
    """What the player is asked next; None when the session is over."""
    fault = session.answer(seat, reply)
    told = play_on(session, seat, rival)
    return told if fault is None or told is None else f"Your answer was refused: {fault}\n\n{told}"
