"""One game of TextArena on a table of its own: made, moved, and kept apart from everything else.

TextArena's environments change as they are played, draw from Python's and NumPy's global generators
and may fetch word lists from the network. Here each step runs on a copy, with the generators' states
saved and put back, prints swallowed and downloads refused. A step that the game calls invalid never
happened: its copy is thrown away.
"""

from __future__ import annotations

import contextlib
import copy
import io
import random
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from spaces.bridges.blocks import plain_block
from spaces.bridges.extras import require

SEATS = 2
EVERYBODY = -1
"""The receiver of what all players are told, and the sender of what the game says."""
TEXT_MAX = 4_000
"""Characters of a message that are kept, its last ones."""

_alone = threading.RLock()
"""The generators are the process's: one step at a time. Threads that draw from `random` itself or from
`numpy.random` during a step would disturb it, and it them; the arena's own have generators of their own."""


class Telling(NamedTuple):
    """Something that the game or a player said."""

    to: int
    """A seat, or EVERYBODY."""
    by: int
    """A seat, or EVERYBODY for the game itself."""
    text: str
    """Plain, at most TEXT_MAX characters."""


class InvalidMove(Exception):
    """The game does not take this answer; `str()` is the game's reason."""


class _Stop(BaseException):
    """Leaves a step that the game calls invalid; no `except Exception` of a game may catch it."""


class Table(NamedTuple):
    """A game after some answers. Never changed: `then` makes another."""

    env: Any
    chance: tuple[Any, Any]
    """States of Python's and NumPy's generators."""
    told: tuple[Telling, ...]
    done: bool = False

    @property
    def to_act(self) -> int:
        seat: int = self.env.state.current_player_id
        return seat

    @property
    def phase(self) -> str | None:
        phase: str | None = (self.env.state.game_state or {}).get("phase")
        return phase

    @property
    def rewards(self) -> tuple[float, float]:
        """Of the players; zero where the game gave none."""
        rewards = self.env.state.rewards or {}
        return float(rewards.get(0, 0)), float(rewards.get(1, 0))

    @property
    def reason(self) -> str:
        """Why the game ended, in its own words."""
        info = (self.env.state.game_info or {}).get(0) or {}
        return str(info.get("reason") or "")

    def then(self, seat: int, answer: str) -> Table:
        """The table after `seat` answered. Raises InvalidMove."""
        with _alone, _generators(self.chance), quiet():
            env = copy.deepcopy(self.env)
            env.state.current_player_id = seat
            told: list[Telling] = []
            with _recorded(told), _no_invalid_moves(env.state) as refused:
                try:
                    done, _ = env.step(action=answer)
                except _Stop:
                    done = False
                except (
                    Exception
                ) as error:  # their code on an agent's text: whatever it is, it is refused
                    refused.append(f"the game failed on this answer ({type(error).__name__})")
            if refused:
                raise InvalidMove(refused[0])
            _forget(env)
            return Table(env, _saved(), (*self.told, *told), bool(done or env.state.done))


def open_table(make: Callable[[], Any], seed: int) -> Table:
    """A fresh game of two. `make` constructs the environment; whatever it raises is raised."""
    with _alone, _generators(None), quiet():
        _seed(seed)
        told: list[Telling] = []
        env = make()
        with _recorded(told):
            env.reset(num_players=SEATS, seed=seed)
        _forget(env)
        return Table(env, _saved(), tuple(told), bool(env.state.done))


def _forget(env: Any) -> None:
    """Drop what the environment keeps of its messages: we have it, and copies would grow."""
    env.state.logs.clear()
    for messages in env.state.observations.values():
        messages.clear()


def _seed(seed: int) -> None:
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)


def _saved() -> tuple[Any, Any]:
    numpy = sys.modules.get("numpy")
    return random.getstate(), None if numpy is None else numpy.random.get_state()


def _restore(states: tuple[Any, Any]) -> None:
    random.setstate(states[0])
    numpy = sys.modules.get("numpy")
    if numpy is not None and states[1] is not None:
        numpy.random.set_state(states[1])


@contextlib.contextmanager
def _generators(states: tuple[Any, Any] | None) -> Iterator[None]:
    """Run with these states of the generators, and put the process's own back."""
    before = _saved()
    try:
        if states is not None:
            _restore(states)
        yield
    finally:
        _restore(before)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No prints, and no downloads of word lists: a session never waits for, nor depends on, a network.

    What a game needs of such lists must lie on the machine before (docs/bridges.md).
    """
    nltk: Any = require("nltk", "textarena")
    download = nltk.download
    nltk.download = lambda *_, **__: False
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        nltk.download = download


@contextlib.contextmanager
def _recorded(told: list[Telling]) -> Iterator[None]:
    """Note who is told what; TextArena itself forgets whether a message was for everybody."""
    state_type = require("textarena.core", "textarena").State
    add = state_type.add_observation

    def noted(
        self: Any, message: str, observation_type: Any, from_id: int = -1, to_id: int = -1
    ) -> None:
        text = plain_block(str(message), TEXT_MAX)
        if text:
            told.append(Telling(to_id, from_id, text))
        add(self, message, observation_type, from_id, to_id)

    state_type.add_observation = noted
    try:
        yield
    finally:
        state_type.add_observation = add


@contextlib.contextmanager
def _no_invalid_moves(state: Any) -> Iterator[list[str]]:
    """Stop a step at its first invalid move and tell the game's reason.

    TextArena would count errors and end the game; here the arena's retry and forfeit take that part.
    """
    refused: list[str] = []

    def refuse(reason: str = "", *_: Any, **__: Any) -> None:
        refused.append(str(reason))
        raise _Stop

    state.set_invalid_move = refuse
    try:
        yield refused
    finally:
        del state.set_invalid_move
