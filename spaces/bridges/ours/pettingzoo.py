"""Our Spaces as PettingZoo environments, agent by agent (AEC).

Terry et al., "PettingZoo: Gym for multi-agent reinforcement learning" (2021), arXiv:2009.14471.

An observation is a dict of two texts: `prompt`, which a language model is given in the arena, and
`view`, the seat's observation as JSON. An action is the answer as text. Decisions that several seats
owe at once are asked in seat order; since they are sealed, who is asked later sees nothing of them.
After an illegal answer the same agent is asked once more, with the reason in `infos[agent]["fault"]`;
the second one forfeits. Rewards come at the end: the Space's returns, or what `judge` gives.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from spaces.bridges.extras import require
from spaces.bridges.ours.session import AnySpace, Judge, Oracle, Session

_pettingzoo: Any = require("pettingzoo", "pettingzoo")
_spaces: Any = require("gymnasium.spaces", "pettingzoo")

ANSWER_MAX = 16_384
"""Characters, as on the arena's wire."""
TEXT_MAX = 1 << 20


class Words(_spaces.Text):  # type: ignore[misc]  # the extra need not be installed
    """Texts of any characters; gymnasium's own lists those that it knows."""

    def contains(self, x: Any) -> bool:
        return isinstance(x, str) and len(x) <= self.max_length


class SpaceEnv(_pettingzoo.AECEnv):  # type: ignore[misc]  # the extra need not be installed
    """`SpaceEnv(registry.get("bid-tac-toe"), {"payment": "richman"})`.

    `oracle` answers what a Space asks of the world (default: something valid); `judge` gives the
    rewards of a Space that judges decide (default: none).
    """

    def __init__(
        self,
        space: AnySpace,
        params: Mapping[str, Any] | None = None,
        oracle: Oracle | None = None,
        judge: Judge | None = None,
    ) -> None:
        super().__init__()
        self.metadata = {
            "name": space.id.replace("-", "_"),
            "render_modes": ["ansi"],
            "is_parallelizable": False,
        }
        self.render_mode = "ansi"
        self._space, self._params = space, dict(params or {})
        self._oracle, self._judge = oracle, judge
        self.possible_agents = [f"seat_{seat}" for seat in range(space.seats)]
        seen = _spaces.Dict({"prompt": Words(TEXT_MAX, min_length=0), "view": Words(TEXT_MAX)})
        self.observation_spaces = dict.fromkeys(self.possible_agents, seen)
        self.action_spaces = {agent: Words(ANSWER_MAX) for agent in self.possible_agents}
        self.session: Session | None = None

    def observation_space(self, agent: str) -> Any:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Equal seeds play equal sessions. `options` are not used."""
        self.session = Session(self._space, self._params, seed, self._oracle, self._judge)
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        self._select()

    def step(self, action: str | None) -> None:
        if self.terminations[self.agent_selection]:
            self._was_dead_step(action)
            return
        assert self.session is not None, "reset() comes first"
        agent = self.agent_selection
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        fault = self.session.answer(_seat(agent), str(action))
        self.infos[agent] = {} if fault is None else {"fault": fault}
        if self.session.outcome is not None:
            self._end(self.session)
        else:
            self._select()
        self._accumulate_rewards()

    def observe(self, agent: str) -> dict[str, str]:
        assert self.session is not None, "reset() comes first"
        seat, state = _seat(agent), self.session.state
        owes = any(each.seat == seat for each in self.session.open_decisions)
        return {
            "prompt": self._space.prompt(state, seat) if owes else "",
            "view": json.dumps(self._space.observe(state, seat)),
        }

    def random_answer(self, agent: str) -> str:
        """Some legal answer of an agent that must answer now: a baseline."""
        assert self.session is not None, "reset() comes first"
        return self.session.random_answer(_seat(agent))

    def render(self) -> str:
        """The public state as plain text."""
        assert self.session is not None, "reset() comes first"
        return self._space.render(self.session.state)

    def close(self) -> None:
        """Nothing is held."""

    def _select(self) -> None:
        """The first seat that owes a decision; a seat whose answer was refused owes it still."""
        assert self.session is not None
        self.agent_selection = f"seat_{self.session.open_decisions[0].seat}"

    def _end(self, session: Session) -> None:
        rewards = session.rewards() or (0.0,) * self._space.seats
        for agent in self.agents:
            self.rewards[agent] = rewards[_seat(agent)]
            self.terminations[agent] = True
            self.infos[agent]["termination"] = (
                session.outcome.termination if session.outcome else ""
            )
        self.agent_selection = self.agents[0]


def _seat(agent: str) -> int:
    return int(agent.removeprefix("seat_"))
