"""Our Spaces behind other projects' interfaces."""

from __future__ import annotations

import importlib
import inspect
import json
import random
import sys
from typing import Any

import pytest

from spaces.bridges.extras import MissingExtra
from spaces.bridges.ours import pettingzoo as zoo
from spaces.bridges.ours import textarena as arena
from spaces.bridges.ours.session import Session
from spaces.bridges.ours.trl import environment_factory
from spaces.registry import all_spaces, get
from spaces.space import InvalidParams

_api_test: Any = importlib.import_module("pettingzoo.test").api_test
_textarena: Any = importlib.import_module("textarena")

SPACES = [*all_spaces(), get("openspiel:kuhn_poker"), get("textarena:tictactoe-v0")]
NAMES = [space.id for space in SPACES]


def even(space: Any, state: Any) -> list[float]:
    """A judge that likes the first seat."""
    return [1.0] + [0.0] * (space.seats - 1)


def played(env: zoo.SpaceEnv, seed: int) -> dict[str, float]:
    """The rewards of a session of legal answers."""
    env.reset(seed)
    total = dict.fromkeys(env.possible_agents, 0.0)
    for agent in env.agent_iter(10_000):
        _, reward, over, _, _ = env.last()
        total[agent] += reward
        env.step(None if over else env.random_answer(agent))
    assert not env.agents
    return total


# PettingZoo warns of observations and actions that are no arrays, which ours cannot be: they are words.
@pytest.mark.filterwarnings("ignore:Observation is not a NumPy array:UserWarning")
@pytest.mark.filterwarnings(
    "ignore:Observation space for each agent probably should be:UserWarning"
)
@pytest.mark.filterwarnings("ignore:Action space for each agent probably should be:UserWarning")
@pytest.mark.parametrize("space", SPACES, ids=NAMES)
def test_pettingzoos_own_test_passes(space: Any, capsys: pytest.CaptureFixture[str]) -> None:
    _api_test(zoo.SpaceEnv(space), num_cycles=20)
    assert "Passed API test" in capsys.readouterr().out


@pytest.mark.parametrize("space", SPACES, ids=NAMES)
def test_a_whole_session_is_played_agent_by_agent(space: Any) -> None:
    env = zoo.SpaceEnv(space, judge=even)
    rewards = played(env, 3)
    assert rewards == played(env, 3)
    assert env.session is not None
    told = env.session.rewards()
    assert told is not None
    assert list(rewards.values()) == list(told)


def test_who_is_asked_second_sees_nothing_of_a_sealed_answer() -> None:
    env = zoo.SpaceEnv(get("bid-tac-toe"))
    seen = []
    for bid in (3, 60):
        env.reset(seed=1)
        assert env.agent_selection == "seat_0"
        env.step(f"bid: {bid}")
        assert env.agent_selection == "seat_1"
        seen.append(env.observe("seat_1"))
    assert seen[0] == seen[1]
    assert json.loads(seen[0]["view"])["bids_in"] == [True, False]


def test_an_illegal_answer_may_be_given_again_and_the_second_one_forfeits() -> None:
    env = zoo.SpaceEnv(get("bid-tac-toe"))
    env.reset(seed=1)
    env.step("bid: 101")
    assert env.agent_selection == "seat_0"
    assert "0 to 100" in env.infos["seat_0"]["fault"]
    env.step("hm")
    assert all(env.terminations.values())
    assert env.rewards == {"seat_0": -1.0, "seat_1": 1.0}
    assert env.infos["seat_1"]["termination"] == "forfeit"


def test_without_a_judge_there_is_no_reward() -> None:
    assert set(played(zoo.SpaceEnv(get("rap-battle")), 1).values()) == {0.0}
    with pytest.raises(ValueError, match="give `judge`"):
        environment_factory(get("rap-battle"))


def test_an_oracle_of_ones_own_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    space = next(each for each in SPACES if each.decided_by == "oracle")
    answers: list[Any] = []
    some = space.random_observation

    def noted(state: Any, rng: random.Random) -> Any:
        answers.append(some(state, rng))
        return answers[-1]

    monkeypatch.setattr(space, "random_observation", noted)
    first = at_random(Session(space, seed=1))
    assert answers
    told = iter(list(answers))
    second = at_random(Session(space, seed=1, oracle=lambda inquiry: next(told)))
    assert [*told] == []
    assert second.outcome is not None
    assert first.outcome is not None
    assert second.outcome.termination == first.outcome.termination


def at_random(session: Session) -> Session:
    while session.outcome is None:
        seat = session.open_decisions[0].seat
        session.answer(seat, session.random_answer(seat))
    return session


@pytest.mark.parametrize("space", SPACES, ids=NAMES)
def test_textarenas_loop_plays_a_session(space: Any) -> None:
    env = _textarena.wrappers.LLMObservationWrapper(arena.SpaceEnv(space, judge=even))
    env.reset(num_players=space.seats, seed=5)
    done = False
    while not done:
        seat, told = env.get_observation()
        assert env.session.space.prompt(env.session.state, seat) in told
        done, _ = env.step(env.session.random_answer(seat))
    rewards, info = env.close()
    assert rewards == dict(enumerate(env.session.rewards()))
    assert info[0]["reason"] == env.session.outcome.termination


def test_a_space_is_made_by_textarenas_own_maker() -> None:
    env = _textarena.make(arena.register("bid-tac-toe", chips=7))
    env.reset(num_players=2, seed=0)
    assert "0 to 7" in env.get_observation()[1][0][1]
    with pytest.raises(ValueError, match="seats 2 players, got 3"):
        env.reset(num_players=3)


def test_trls_environment_shows_one_tool_and_owns_its_reward() -> None:
    env = environment_factory(get("bid-tac-toe"), {"chips": 5}, seat=1)()
    public = [
        name for name, _ in inspect.getmembers(type(env), inspect.isfunction) if name[0] != "_"
    ]
    assert public == ["answer", "get_reward", "reset"]
    assert "as O" in env.reset(seed=4, prompt="ignored")
    assert "refused" in env.answer("no")
    assert env.get_reward() == 0.0
    assert "over (forfeit)" in env.answer("no")
    assert env.get_reward() == -1.0
    assert env.answer("bid: 1") == "The session is over."


@pytest.mark.parametrize("space", SPACES, ids=NAMES)
def test_trls_environment_plays_a_session_against_rivals(space: Any) -> None:
    env = environment_factory(space, judge=even)()
    assert env.reset(seed=2)
    assert env._session is not None
    while env._session.outcome is None:
        assert env.answer(env._session.random_answer(0))
    rewards = env._session.rewards()
    assert rewards is not None
    assert env.get_reward() == rewards[0]


def test_what_cannot_be_played_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="seats 0 to 1, got 2"):
        environment_factory(get("bid-tac-toe"), seat=2)
    with pytest.raises(InvalidParams):
        environment_factory(get("bid-tac-toe"), {"chips": 0})


@pytest.mark.parametrize(
    ("module", "library", "extra"),
    [
        ("spaces.bridges.ours.pettingzoo", "pettingzoo", "pettingzoo"),
        ("spaces.bridges.ours.textarena", "textarena", "textarena"),
        ("spaces.bridges.ours.verifiers", "verifiers", "verifiers"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(
    module: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, module, raising=False)
    for name in [each for each in sys.modules if each.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Without(library), *sys.meta_path])
    with pytest.raises(MissingExtra, match=rf"{library} is not installed: .*\[{extra}\]"):
        importlib.import_module(module)


class _Without:
    """An importer that finds nothing of one library."""

    def __init__(self, library: str) -> None:
        self._library = library

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] == self._library:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
