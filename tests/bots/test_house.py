"""The house can keep every Space of an arena alive."""

from __future__ import annotations

import pytest

from bots.brains import make
from bots.house import HOUSE, house_agents
from spaces.registry import all_spaces

SPACES = [space.id for space in all_spaces()]
SERVER = ("http://127.0.0.1:1/v1", "SmolLM2-135M-Instruct")


@pytest.mark.parametrize("space", SPACES)
def test_the_house_fills_the_seats_of_every_space(space: str) -> None:
    agents = house_agents(space, *SERVER)
    seats = next(each.seats for each in all_spaces() if each.id == space)
    assert len(agents) >= seats
    assert len({agent.name for agent in agents}) == len(agents)
    for agent in agents:
        make(agent.brain, agent.space, agent.settings)


def test_no_name_is_used_twice() -> None:
    names = [member.name for members in HOUSE.values() for member in members]
    assert len(names) == len(set(names))


def test_without_a_model_nobody_needs_one() -> None:
    assert [agent.name for agent in house_agents("rap-battle", "", "")] == []
    assert "llm" not in {agent.brain for agent in house_agents("logic", "", "")}


def test_so_many_sessions_and_no_more() -> None:
    for space in SPACES:
        agents = house_agents(space, *SERVER, sessions=2)
        assert {agent.sessions for agent in agents} == {2}
        assert len(agents) == next(each.seats for each in all_spaces() if each.id == space)
