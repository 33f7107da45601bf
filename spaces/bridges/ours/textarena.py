"""Our Spaces as environments of TextArena, for the agents that are written for it.

`reset(num_players, seed)`, `get_observation()`, `step(action)` and `close()` as in TextArena's `Env`,
and its `State`, so that its wrappers work. What a player is told is the prompt of its decision; what
is wrong with an answer is told to it alone, and it answers once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spaces import registry
from spaces.bridges.extras import require
from spaces.bridges.ours.session import AnySpace, Judge, Oracle, Session

_textarena: Any = require("textarena", "textarena")
_GAME = -1


class SpaceEnv(_textarena.Env):  # type: ignore[misc]  # the extra need not be installed
    """`SpaceEnv(registry.get("bid-tac-toe"))`; parameters as of the PettingZoo environment."""

    def __init__(
        self,
        space: AnySpace,
        params: Mapping[str, Any] | None = None,
        oracle: Oracle | None = None,
        judge: Judge | None = None,
    ) -> None:
        super().__init__()
        self._space, self._params = space, dict(params or {})
        self._oracle, self._judge = oracle, judge
        self.state: Any = None
        self.session: Session | None = None

    def reset(self, num_players: int, seed: int | None = None) -> None:
        """Raises ValueError for another number of players than the Space seats."""
        seats = self._space.seats
        if num_players != seats:
            raise ValueError(f"{self._space.id} seats {seats} players, got {num_players}")
        self.session = Session(self._space, self._params, seed, self._oracle, self._judge)
        self.state = _textarena.State(num_players=num_players)
        roles = {seat: f"Player {seat}" for seat in range(seats)}
        self.state.standard_resets(game_state={}, role_mapping={**roles, _GAME: "GAME"})
        self._ask()

    def step(self, action: str) -> tuple[bool, dict[str, Any]]:
        """Answer as the player whose turn it is. Returns whether the session is over, and `fault`."""
        assert self.session is not None, "reset() comes first"
        seat = self.state.current_player_id
        fault = self.session.answer(seat, action)
        self.state.game_info[seat]["turn_count"] += 1
        self.state.turn += 1
        if fault is not None:
            told = f"Your answer was refused: {fault}"
            self.state.add_observation(told, _textarena.ObservationType.GAME_ADMIN, to_id=seat)
            self.state.game_info[seat]["invalid_move"] = True
        if self.session.outcome is None:
            self._ask()
        else:
            self._end(self.session)
        return self.state.done, {} if fault is None else {"fault": fault}

    def get_board_str(self) -> str:
        """The public state, for TextArena's renderers."""
        assert self.session is not None, "reset() comes first"
        return self._space.render(self.session.state)

    def _ask(self) -> None:
        """The first seat that owes a decision is the current player."""
        assert self.session is not None
        seat = self.session.open_decisions[0].seat
        self.state.current_player_id = seat
        prompt = self._space.prompt(self.session.state, seat)
        self.state.add_observation(prompt, _textarena.ObservationType.PROMPT, to_id=seat)

    def _end(self, session: Session) -> None:
        assert session.outcome is not None
        rewards = session.rewards()
        self.state.done = True
        self.state.rewards = None if rewards is None else dict(enumerate(rewards))
        for info in self.state.game_info.values():
            info["reason"] = session.outcome.termination


def register(space_id: str, **params: Any) -> str:
    """Make `textarena.make` know a Space: `register("bid-tac-toe")` gives `agon-bid-tac-toe-v1`.

    The number is the rules' version. Raises ValueError when it is registered already.
    """
    space = registry.get(space_id)
    name = f"agon-{space.id}-v{space.rules.rpartition('/')[2]}"

    def entry(**kwargs: Any) -> SpaceEnv:
        return SpaceEnv(space, {**params, **kwargs})

    _textarena.envs.registration.register(name, entry)
    return name
